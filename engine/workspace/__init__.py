"""What agents read: the files of a workspace by name and content, so that an answer can be tied to them."""
