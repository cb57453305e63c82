# expect: refused
meta = {"name": "meta-walrus-default", "description": "a default value binds meta again"}

def harmless(value=(meta := {"name": "other", "description": "other"})):
    return value

async def main(args):
    return meta
