# expect: refused
meta = {"name": "name-typewriter-letters", "description": "a builtin written with mathematical letters"}

async def main(args):
    return 𝚘𝚙𝚎𝚗(args["secret_path"]).read()
