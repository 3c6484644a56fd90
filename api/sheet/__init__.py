"""The sheet of open incidents: what the desk goes on with on paper when all is dark."""
