# expect: refused
meta = {"name": "library-starmap", "description": "starmap calls setattr in the script's name"}

import itertools

async def main(args):
    list(itertools.starmap(setattr, [(main, "__defaults__", (1,))]))
    return main.__defaults__
