"""Providers: adapters to whatever answers a prompt. One file each, one contract (`base`), one door (`registry`)."""
