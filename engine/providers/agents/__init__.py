"""The coding-agent CLIs as providers: one dialect a program, one `CodingAgent` that runs any of them."""
