import torch
from torch import nn

hours = torch.arange(1.0, 17.0)
passed = torch.tensor([0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0.0])
x = (hours - 9).unsqueeze(1)


def train(model, criterion, optimizer, x, y, rounds):
    for k in range(rounds):
        optimizer.zero_grad()
        J = criterion(model(x), y)
        J.backward()
        optimizer.step()
        if k % 20 == 0:
            print(f"  k = {k:2}  J = {J.item():.4f}")


for choose in (torch.optim.SGD, torch.optim.Adam):
    model = nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    print(choose.__name__)
    train(model, nn.BCEWithLogitsLoss(), choose(model.parameters(), lr=0.1), x, passed, rounds=61)
    print(f"  w = {model[0].weight.item():.3f}  b = {model[0].bias.item():.3f}")
