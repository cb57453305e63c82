# expect: refused
meta = {"name": "format-map-mapping", "description": "format_map reads attributes"}

async def main(args):
    return "{f.__globals__[args][secret_path]}".format_map({"f": main})
