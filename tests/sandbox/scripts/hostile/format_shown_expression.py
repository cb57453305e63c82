# expect: refused
meta = {"name": "format-shown-expression", "description": "an f-string that shows its own expression"}

async def main(args):
    return f"{getattr(main, '__builtins__')['open'](args['secret_path']).read()=}"
