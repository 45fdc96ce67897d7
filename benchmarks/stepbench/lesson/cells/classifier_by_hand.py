import numpy as np
from sklearn.datasets import load_breast_cancer


class LogisticRegression:
    def __init__(self, learning_rate=0.1, steps=500, verbose=False):
        self.learning_rate, self.steps, self.verbose = learning_rate, steps, verbose

    def fit(self, X, y):
        m, n = X.shape
        self.w, self.b, self.costs = np.zeros(n), 0.0, []
        for k in range(self.steps):
            t = (1 - 2 * y) * (X @ self.w + self.b)
            self.costs.append(np.logaddexp(0, t).mean())
            if self.verbose and k % (self.steps // 5) == 0:
                print(f"step {k:3}  J = {self.costs[-1]:.4f}")
            dz = (1 - 2 * y) * np.exp(-np.logaddexp(0, -t))  # a − y, without the subtraction
            self.w = self.w - self.learning_rate * (X.T @ dz) / m
            self.b = self.b - self.learning_rate * dz.mean()
        return self

    def predict_probability(self, X):
        return np.exp(-np.logaddexp(0, -(X @ self.w + self.b)))

    def predict(self, X):
        return (self.predict_probability(X) >= 0.5).astype(float)

    def score(self, X, y):
        return (self.predict(X) == y).mean()


X, y = load_breast_cancer(return_X_y=True)
order = np.random.default_rng(0).permutation(len(y))
train, test = order[:400], order[400:]
center, spread = X[train].mean(axis=0), X[train].std(axis=0)
X = (X - center) / spread

model = LogisticRegression(verbose=True).fit(X[train], y[train])
print(f"{len(model.costs)} costs, the last {model.costs[-1]:.4f}")
print(f"score, training: {model.score(X[train], y[train]):.1%} of {len(train)}")
print(f"score, held back: {model.score(X[test], y[test]):.1%} of {len(test)}")
few = test[:4]
for a, answer, truth in zip(model.predict_probability(X[few]), model.predict(X[few]), y[few], strict=True):
    print(f"a = {a:.4f}  answer {answer:.0f}  truth {truth}")
