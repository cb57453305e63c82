"""Rules whose findings let somebody in, or let something out; assertions and plain child processes do not."""

from __future__ import annotations

from engine.providers.builtin.rules.rule import Rule, Rules

_XML = Rule("low", "XML parser open to entity attacks", "Parse XML from outside with `defusedxml`.")
_PICKLE = Rule(
    "medium",
    "Loading this data can run code",
    "Use JSON for data from outside; this format is only for data that nobody else can write.",
)
_CIPHER = Rule("medium", "Broken cipher or mode", "Use AES-GCM or ChaCha20-Poly1305 from `cryptography`.")

_COMMANDS: Rules = {
    "S602": Rule(
        "high",
        "Command runs through a shell",
        "Any text that reaches it can be a command of its own. Pass a list of arguments without `shell=True`.",
    ),
    "S604": Rule("medium", "Call with `shell=True`", "Pass a list of arguments without a shell."),
    "S605": Rule(
        "high",
        "Command runs through a shell",
        "Any text that reaches it can be a command of its own. Use `subprocess.run` with a list of arguments.",
    ),
    "S609": Rule("high", "Wildcard in a shell command", "File names that begin with `-` become options."),
    "S601": Rule("medium", "Command on another machine through a shell", "Quote what comes from outside."),
    "S102": Rule("high", "`exec` runs text as code", "Whoever controls the text controls the program."),
    "S307": Rule(
        "high", "`eval` runs text as code", "For literals use `ast.literal_eval`, for data use JSON."
    ),
    "S612": Rule(
        "high", "Logging configuration is taken from the network", "It can run code; load it from a file."
    ),
}

_INJECTION: Rules = {
    "S608": Rule(
        "high",
        "SQL is built from strings",
        "A value with a quote in it changes the query. Use placeholders and pass the values beside it.",
    ),
    "S610": Rule(
        "medium", "Django `extra` takes raw SQL", "Use query expressions, or pass values as params."
    ),
    "S611": Rule("medium", "Django `RawSQL`", "Use query expressions, or pass values as params."),
    "S701": Rule(
        "high", "Jinja2 without autoescape", "Pages can carry scripts of others; set `autoescape=True`."
    ),
    "S702": Rule("medium", "Mako does not escape by default", "Set `default_filters=['h']`."),
    "S308": Rule(
        "medium", "Text is marked as safe HTML", "Escape what comes from outside; use `format_html`."
    ),
    "S704": Rule("medium", "Text is marked as safe HTML", "Escape what comes from outside first."),
    "PLE2502": Rule(
        "high",
        "Invisible characters reorder this text",
        "The code that runs is not the code that is shown. Remove the bidirectional control characters.",
    ),
}

_DATA: Rules = {
    "S301": _PICKLE,
    "S302": _PICKLE,
    "S506": Rule(
        "high", "YAML is loaded with an unsafe loader", "It can make any object; use `yaml.safe_load`."
    ),
    "S202": Rule(
        "high",
        "Archive is unpacked without a check",
        "Paths in it may leave the folder; use `filter='data'`.",
    ),
    **dict.fromkeys(("S313", "S314", "S315", "S316", "S317", "S318", "S319"), _XML),
    "S306": Rule("medium", "`mktemp` leaves a gap for others", "Use `NamedTemporaryFile` or `mkstemp`."),
    "S108": Rule("low", "Fixed name in a shared temporary folder", "Use the `tempfile` module."),
    "S103": Rule("medium", "File permissions are wide open", "Grant no more than the program needs."),
}

_SECRETS: Rules = {
    "S105": Rule(
        "low", "This looks like a password in the code", "Read secrets from the environment or a store."
    ),
    "S106": Rule(
        "medium", "This looks like a password in a call", "Read secrets from the environment or a store."
    ),
    "S107": Rule("low", "This looks like a default password", "Let the caller pass it; have no default."),
    "S303": Rule("medium", "Weak hash function", "Use SHA-256 or better where security depends on it."),
    "S324": Rule(
        "medium",
        "Weak hash function",
        "Use SHA-256 or better; where it is no matter of security, say `usedforsecurity=False`.",
    ),
    "S304": _CIPHER,
    "S305": _CIPHER,
    "S505": Rule(
        "medium", "Key is too short", "Use RSA of 2048 bits or more, or an elliptic curve of 224 or more."
    ),
}

_NETWORK: Rules = {
    "S501": Rule(
        "high", "Certificates are not checked", "Anybody in between can read and change the traffic."
    ),
    "S502": Rule("high", "Outdated TLS version", "Use `ssl.create_default_context()`."),
    "S503": Rule("medium", "Outdated TLS version as default", "Use `ssl.create_default_context()`."),
    "S504": Rule("low", "No TLS version is chosen", "Use `ssl.create_default_context()`."),
    "S323": Rule("high", "TLS context without checks", "Use `ssl.create_default_context()`."),
    "S507": Rule("high", "Unknown SSH hosts are trusted", "Load the known hosts and refuse others."),
    "S508": Rule("medium", "SNMP v1 or v2 is not encrypted", "Use v3."),
    "S509": Rule("medium", "SNMP v3 without privacy", "Choose both authentication and encryption."),
    "S312": Rule("medium", "Telnet is not encrypted", "Use SSH."),
    "S321": Rule("low", "FTP is not encrypted", "Use SFTP, or FTP over TLS."),
    "S310": Rule("low", "URL may be of any scheme", "Check that it is http(s): `file:` reads local files."),
    "S113": Rule(
        "medium", "Request without a timeout", "A silent server blocks the program for ever; set `timeout=`."
    ),
    "S104": Rule("low", "Listens on all interfaces", "Bind to 127.0.0.1 unless others must reach it."),
    "S201": Rule("high", "Flask in debug mode", "Its debugger runs code for whoever reaches it."),
}

SECURITY: Rules = {**_COMMANDS, **_INJECTION, **_DATA, **_SECRETS, **_NETWORK}
