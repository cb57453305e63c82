# expect: refused
meta = {"name": "import-keyword", "description": "an underscore name through ** at run time"}

async def main(args):
    return dict(**{"__class__": 1})
