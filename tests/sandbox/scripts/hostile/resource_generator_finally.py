# expect: contained
meta = {"name": "resource-generator-finally", "description": "a generator that does not let itself be closed"}

async def main(args):
    def stay():
        while True:
            try:
                yield 1
            finally:
                continue
    for _ in stay():
        break
    return 1
