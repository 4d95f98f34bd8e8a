"""A policy network for tic-tac-toe, taught by minimax over every reachable position.

Input: nine cells seen by the player to move, 1 own, -1 the other's, 0 free.
Output: nine logits; the move is the largest. A position's label is a bit mask,
bit i set where cell i keeps the game-theoretic value. All 4,520 positions with
a move left are taught: a policy network is a compressed table here, so there is
no unseen position. Those in samples.json are left out of test.npz.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

import classify
import common

CALIBRATION = 200
LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def lost(board):
    """Whether the player to move has lost: the other has a line."""
    return any(all(board[i] == -1 for i in line) for line in LINES)


def after(board, move):
    """The board after the move, seen by the other player."""
    return tuple(-(1 if i == move else v) for i, v in enumerate(board))


@lru_cache(maxsize=None)
def value(board):
    """1 won, 0 drawn, -1 lost, for the player to move under perfect play."""
    if lost(board):
        return -1
    if 0 not in board:
        return 0
    return max(-value(after(board, i)) for i in range(9) if board[i] == 0)


def positions():
    """Every reachable position with a move left, in order, and its mask of best moves."""
    found, stack = set(), [(0,) * 9]
    while stack:
        board = stack.pop()
        if board in found or lost(board) or 0 not in board:
            continue
        found.add(board)
        stack += [after(board, i) for i in range(9) if board[i] == 0]
    boards = sorted(found)
    masks = [sum(1 << i for i in range(9) if b[i] == 0 and -value(after(b, i)) == value(b)) for b in boards]
    return np.array(boards, dtype=np.int8), np.array(masks, dtype=np.uint16)


class Policy(nn.Module):
    """Splits the board into own and other's stones, then 18-128-64-9 with ReLU."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(18, 128), nn.ReLU(),
            nn.Linear(128, 64), nn.ReLU(),
            nn.Linear(64, 9),
        )

    def forward(self, board):
        return self.layers(torch.cat([board.relu(), (-board).relu()], 1))


def fit(model, boards, best):
    """Margin training: one best move beats every other cell, by 2 where it can.

    Which of several best moves wins is left to the network, but it has to settle
    on one: a tie would be broken by the last bit of arithmetic.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    steps = 8000
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    generator = torch.Generator().manual_seed(common.SEED)
    never = torch.tensor(float("-inf"))
    for step in range(steps):
        pick = torch.randint(len(boards), (1024,), generator=generator)
        logits = model(boards[pick])
        good, cell = torch.where(best[pick], logits, never).max(1)
        other = logits.scatter(1, cell[:, None], float("-inf")).amax(1)
        margin = good - other
        wrong = torch.where(best[pick], never, logits).amax(1)
        loss = softplus(2 * (2 - margin)).mean() + 2 * softplus(2 * (2 + wrong - good)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        classify.limit(model, [8, 14, 12])
        if step % 1000 == 999:
            print(f"  step {step + 1}: loss {loss.item():.4f}", flush=True)
    model.eval()


def bits(masks):
    return (masks[:, None].astype(np.int64) >> np.arange(9) & 1).astype(bool)


def main():
    common.seed_everything()
    boards, masks = positions()
    best, free = bits(masks), boards == 0
    model = Policy()
    fit(model, torch.from_numpy(boards.astype(np.float32)), torch.from_numpy(best))
    move = model(torch.from_numpy(boards.astype(np.float32))).argmax(1).numpy()
    rows = np.arange(len(boards))
    print(f"tictactoe: {len(boards)} positions, {(~free[rows, move]).sum()} illegal moves, "
          f"{(~best[rows, move]).sum()} not best")

    exported = classify.export(model, (9,), opset=14, input_name="board", output_name="logits", free_batch=False)
    order = np.random.RandomState(common.SEED).permutation(len(boards))
    calibration, test = order[:CALIBRATION], order[CALIBRATION:]
    common.write("tictactoe", exported, boards[calibration], boards[test], masks[test], task="policy",
                 metric=lambda p: ("best_move", best[test][np.arange(len(test)), p.argmax(1)].mean()))


if __name__ == "__main__":
    main()
