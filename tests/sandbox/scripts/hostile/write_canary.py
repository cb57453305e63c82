# expect: refused
meta = {"name": "write-canary", "description": "open through a default argument"}

async def main(args):
    def write(how=open):
        return how(args["canary_path"], "w")
    return write()
