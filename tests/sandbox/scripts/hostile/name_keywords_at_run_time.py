# expect: refused
meta = {"name": "name-keywords-at-run-time", "description": "an underscore name among keywords that are made up"}

async def main(args):
    return dict(**{chr(95) * 2 + "class" + chr(95) * 2: 1}) and open(args["secret_path"]).read()
