"""What answers look like: views of the board, encoded and documented by the same types.

A view is built once for an answer and holds only plain values. Its field names are the API's.
"""
