"""Whether torch's scheduler and scvi-tools' early stopping, shown the losses of a history that
training_options.rs has the command write, do what the run did.

    python check_training.py HISTORY.csv
"""

import sys

import pandas as pd
import torch
from scvi.train._callbacks import LoudEarlyStopping
from torch.optim.lr_scheduler import ReduceLROnPlateau

history = pd.read_csv(sys.argv[1], float_precision="round_trip")
optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.05)
scheduler = ReduceLROnPlateau(
    optimizer, factor=0.7, patience=1, threshold=0.02, threshold_mode="abs", min_lr=0.03
)
for length, loss in zip(history["lr-Adam"], history["reconstruction_loss_validation"], strict=True):
    assert length == optimizer.param_groups[0]["lr"]
    scheduler.step(loss)

stopping = LoudEarlyStopping(
    monitor="validation_loss", mode="min", patience=6, min_delta=0.01, warmup_epochs=5
)
for epoch, loss in enumerate(history["validation_loss"]):
    stops, _ = stopping._evaluate_stopping_criteria(torch.tensor(loss, dtype=torch.float64))
    assert stops == (epoch == len(history) - 1), epoch
