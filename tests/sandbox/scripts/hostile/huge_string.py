# expect: contained
meta = {"name": "huge-string", "description": "a string that doubles"}

async def main(args):
    text = "x"
    while True:
        text = text + text
