# expect: refused
meta = {"name": "exception-object", "description": "AttributeError carries the object it is about"}

async def main(args):
    try:
        return len.nothing
    except AttributeError as error:
        return str(error.obj)
