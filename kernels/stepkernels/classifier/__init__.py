"""LogisticRegression over any row, and the solvers that drive it; scikit-learn and SciPy are its own."""
