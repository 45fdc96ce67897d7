"""What the rows of one library share: its arrays as the state of a step. Imports the contract and that library."""
