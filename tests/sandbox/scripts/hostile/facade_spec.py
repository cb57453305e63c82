# expect: refused
meta = {"name": "facade-spec", "description": "the spec of a module has its loader"}

import textwrap

async def main(args):
    spec = getattr(textwrap, "_" * 2 + "spec" + "_" * 2)
    return getattr(spec, "loader").get_data(args["secret_path"]).decode()
