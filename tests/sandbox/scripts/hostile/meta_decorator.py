# expect: refused
meta = {"name": "meta-decorator", "description": "a decorator binds meta again"}

@(meta := (lambda function: function))
def harmless():
    pass

async def main(args):
    return meta
