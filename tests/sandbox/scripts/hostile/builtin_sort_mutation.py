# expect: contained
meta = {"name": "builtin-sort-mutation", "description": "a list that changes while it is sorted"}

async def main(args):
    items = list(range(1000))
    def key(item):
        items.clear()
        items.extend(["x"] * 1000)
        return item
    try:
        items.sort(key=key)
    except ValueError:
        return "noticed"
