"""The pure decisions: `decide(board, question, context) -> Decision`."""
