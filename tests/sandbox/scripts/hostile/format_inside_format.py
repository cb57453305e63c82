# expect: refused
meta = {"name": "format-inside-format", "description": "a call inside a string inside a string"}

async def main(args):
    return f"{f'{getattr(main, chr(95) * 2 + chr(98) + str().join(list(chr(n) for n in (117, 105, 108, 116, 105, 110, 115, 95, 95))))[str(chr(111)) + chr(112) + chr(101) + chr(110)](args[chr(115) + chr(101) + chr(99) + chr(114) + chr(101) + chr(116) + chr(95) + chr(112) + chr(97) + chr(116) + chr(104)]).read()}'}"
