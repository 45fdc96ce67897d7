"""What many runs say of the commits between them: levels from paired ratios, and where these change for good."""
