import torch
from torch import nn


class LogisticRegression(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.linear = nn.Linear(features, 1)

    def forward(self, X):
        return self.linear(X).squeeze(1)


torch.manual_seed(0)
model = LogisticRegression(2)
for name, parameter in model.named_parameters():
    print(name, tuple(parameter.shape), "requires_grad =", parameter.requires_grad)

X = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.0, 0.0]])
model.register_forward_hook(lambda module, inputs, z: print("hook:", tuple(z.shape)))
print("model(X):")
z = model(X)
print("model.forward(X):")
print("the same scores:", torch.equal(z, model.forward(X)))
