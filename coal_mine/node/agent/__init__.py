"""The agent of a node: claims runs, has them started, and tells the store what becomes of them."""
