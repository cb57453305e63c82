# expect: contained
meta = {"name": "percent-in-place", "description": "formatting by augmented assignment"}

async def main(args):
    text = "%0999999999d"
    text %= 1
    return len(text)
