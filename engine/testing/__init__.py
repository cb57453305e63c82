"""For the tests of others: of their providers and of their workflows. Nothing that runs a workflow imports it."""
