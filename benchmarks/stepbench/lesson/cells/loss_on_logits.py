import torch
from torch import nn

on_probability, on_logits = nn.BCELoss(), nn.BCEWithLogitsLoss()
y = torch.tensor(0.0)
print("   z   BCELoss   slope  on logits   slope")
for value in (2.0, 10.0, 16.0, 20.0, 200.0):
    z = torch.tensor(value, requires_grad=True)
    first = on_probability(torch.sigmoid(z), y)
    (first_slope,) = torch.autograd.grad(first, z)
    second = on_logits(z, y)
    (second_slope,) = torch.autograd.grad(second, z)
    print(f"{value:4.0f}  {first:8.4f}  {first_slope:6.4f}  {second:9.4f}  {second_slope:6.4f}")
