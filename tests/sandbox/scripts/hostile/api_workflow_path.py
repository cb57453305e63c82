# expect: contained
meta = {"name": "api-workflow-path", "description": "a path where a name belongs"}

async def main(args):
    return [await workflow(name) for name in (args["secret_path"], "../../secret", "file:" + args["secret_path"])] and 1
