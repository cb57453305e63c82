# expect: refused
meta = {"name": "format-bound-later", "description": "a bound format is called later"}

async def main(args):
    render = "{0.__globals__[__builtins__]}".format
    return render(main)
