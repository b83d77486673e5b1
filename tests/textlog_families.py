# ruff: noqa: E501 - the lines are as trainers print them
"""What trainers print, by family: the lines, and the rows they are: (step, the values that must be in it)."""

from __future__ import annotations

from math import inf, nan

Rows = list[tuple[int, dict[str, float]]]

FAMILIES: dict[str, tuple[str, Rows]] = {
    "transformers 4": ("""
{'loss': 2.5, 'grad_norm': 1.25, 'learning_rate': 4.5e-05, 'epoch': 0.5}
{'loss': nan, 'grad_norm': inf, 'learning_rate': 4e-05, 'epoch': 1.0}
{'eval_loss': 2.25, 'eval_runtime': 1.5, 'eval_samples_per_second': 66.5, 'epoch': 1.0}
{'train_runtime': 12.5, 'train_samples_per_second': 8.0, 'train_loss': 2.0, 'epoch': 1.0}
""", [(1, {"loss": 2.5, "grad_norm": 1.25, "learning_rate": 4.5e-05, "epoch": 0.5}), (2, {"loss": nan, "grad_norm": inf}),
      (3, {"eval_loss": 2.25}), (4, {"train_loss": 2.0})]),
    "transformers 5": ("""
{'loss': '2.5', 'grad_norm': 'nan', 'learning_rate': '4.5e-05', 'epoch': '0.5'}
{'eval_loss': '2.25', 'eval_accuracy': '0.75', 'epoch': '1'}
""", [(1, {"loss": 2.5, "grad_norm": nan, "learning_rate": 4.5e-05}), (2, {"eval_loss": 2.25, "eval_accuracy": 0.75})]),
    "transformers beneath its bar": ("""
  0%|          | 0/100 [00:00<?, ?it/s]\r 10%|█         | 10/100 [00:01<00:09,  9.5it/s]{'loss': 2.5, 'epoch': 0.1}
 20%|██        | 20/100 [00:02<00:08,  9.5it/s]
{'loss': 2.0, 'epoch': 0.2}
  0%|          | 0/5 [00:00<?, ?it/s]\r100%|██████████| 5/5 [00:00<00:00, 99.1it/s]
{'eval_loss': 2.25, 'epoch': 0.2}
""", [(10, {"loss": 2.5}), (20, {"loss": 2.0}), (20, {"eval_loss": 2.25})]),
    "transformers with an evaluation before its end": ("""
 50%|█████     | 10/20 [00:01<00:01,  9.5it/s]
{'loss': 2.5, 'epoch': 0.5}
100%|██████████| 1/1 [00:00<00:00, 99.1it/s]
100%|██████████| 20/20 [00:02<00:00,  9.5it/s]
{'loss': 2.0, 'epoch': 1.0}
  0%|          | 0/1 [00:00<?, ?it/s]
{'eval_loss': 2.25, 'epoch': 1.0}
{'train_runtime': 12.5, 'train_loss': 2.2, 'epoch': 1.0}
  0%|          | 0/8 [00:00<?, ?it/s]\r 50%|█████     | 4/8 [00:01<00:01,  9.5it/s]
{'loss': 1.5, 'epoch': 0.5}
""", [(10, {"loss": 2.5}), (20, {"loss": 2.0}), (20, {"eval_loss": 2.25}), (20, {"train_loss": 2.2}), (4, {"loss": 1.5})]),
    "dicts with tensors": ("""
{'step': 3, 'loss': tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>), 'lr': np.float64(0.001)}
{'step': 4, 'loss': tensor(0.25, device='cuda:0'), 'acc': np.float32(0.75)}
""", [(3, {"loss": 0.5, "lr": 0.001}), (4, {"loss": 0.25, "acc": 0.75})]),
    "JSON objects": ("""
{"step": 1, "loss": 0.5, "lr": 1e-3}
2024-05-01 12:00:00,123 - INFO - {"step": 2, "loss": NaN}
[rank0] INFO {"epoch": 2, "train": {"loss": 0.5}, "val": {"acc": 0.75}}
I0501 12:00:00.123 1234 train.py:42] {"global_step": 30, "train/loss": 0.25}
""", [(1, {"loss": 0.5, "lr": 0.001}), (2, {"loss": nan}), (2, {"train/loss": 0.5, "val/acc": 0.75}), (30, {"train/loss": 0.25})]),
    "nanoGPT": ("""
number of parameters: 10.65M
step 0: train loss 4.2874, val loss 4.2823
iter 0: loss 4.2649, time 29041.33ms, mfu -100.00%
iter 10: loss 3.2438, time 148.79ms, mfu 2.50%
step 250: train loss 1.9664, val loss 2.0617
""", [(0, {"train_loss": 4.2874, "val_loss": 4.2823}), (0, {"loss": 4.2649, "time_ms": 29041.33, "mfu": -100.0}),
      (10, {"loss": 3.2438, "mfu": 2.5}), (250, {"train_loss": 1.9664, "val_loss": 2.0617})]),
    "torchtune": ("""
Step 1 | loss:1.5 lr:2e-05 tokens_per_second_per_gpu:1234.5 peak_memory_active:12.25 
Step 2 | loss:tensor(1.25, device='cuda:0') lr:4e-05 tokens_per_second_per_gpu:1300 
Step 3 | loss:nan lr:6e-05
Step 3 | val_loss:1.125
""", [(1, {"loss": 1.5, "lr": 2e-05, "tokens_per_second_per_gpu": 1234.5, "peak_memory_active": 12.25}), (2, {"loss": 1.25}),
      (3, {"loss": nan}), (3, {"val_loss": 1.125})]),
    "nnU-Net v2": ("""
2024-05-01 12:00:00.123456: unpacking dataset...
2024-05-01 12:00:01.123456: 
2024-05-01 12:00:01.123456: Epoch 0 
2024-05-01 12:00:01.123456: Current learning rate: 0.01 
2024-05-01 12:01:01.123456: train_loss -0.25 
2024-05-01 12:01:01.123456: val_loss -0.5 
2024-05-01 12:01:01.123456: Pseudo dice [np.float32(0.75), nan, 0.5] 
2024-05-01 12:01:01.123456: Epoch time: 60.5 s 
2024-05-01 12:01:01.123456: Yayy! New best EMA pseudo Dice: 0.625 
2024-05-01 12:01:02.123456: 
2024-05-01 12:01:02.123456: Epoch 1 
2024-05-01 12:01:02.123456: Current learning rate: 0.00999 
2024-05-01 12:02:01.123456: train_loss -0.5 
2024-05-01 12:02:01.123456: val_loss -0.625 
2024-05-01 12:02:01.123456: Pseudo dice [0.8, 0.5, 0.25] 
2024-05-01 12:02:01.123456: Epoch time: 59.25 s 
""", [(0, {"learning_rate": 0.01, "train_loss": -0.25, "val_loss": -0.5, "pseudo_dice/0": 0.75, "pseudo_dice/1": nan,
           "pseudo_dice/2": 0.5, "epoch_time_s": 60.5}), (0, {"best_ema_pseudo_dice": 0.625}),
      (1, {"train_loss": -0.5, "pseudo_dice/0": 0.8})]),
    "Megatron-LM": ("""
 [2024-05-01 12:00:00] iteration       10/     100 | consumed samples:          320 | elapsed time per iteration (ms): 1234.5 | throughput per GPU (TFLOP/s/GPU): 12.5 | learning rate: 1.500000E-04 | global batch size:    32 | lm loss: 1.250000E+00 | loss scale: 1.0 | grad norm: 1.5 | number of skipped iterations:   0 | number of nan iterations:   0 |
 iteration       20/     100 | consumed samples:          640 | elapsed time per iteration (ms): 1200.5 | learning rate: 1.400000E-04 | lm loss: 1.125000E+00 | grad norm: 1.25 |
 validation loss at iteration 20 | lm loss value: 2.250000E+00 | lm loss PPL: 9.500000E+00 |
""", [(10, {"throughput_per_gpu": 12.5, "learning_rate": 1.5e-4, "lm_loss": 1.25, "grad_norm": 1.5}), (20, {"lm_loss": 1.125}),
      (20, {"val_lm_loss": 2.25, "val_lm_loss_ppl": 9.5})]),
    "Keras bars": ("""
Epoch 1/2
  1/100 ━━━━━━━━━━━━━━━━━━━━ 5s 52ms/step - accuracy: 0.1 - loss: 2.3\r100/100 ━━━━━━━━━━━━━━━━━━━━ 1s 2ms/step - accuracy: 0.5 - loss: 1.5\r100/100 ━━━━━━━━━━━━━━━━━━━━ 1s 2ms/step - accuracy: 0.5 - loss: 1.5 - val_accuracy: 0.25 - val_loss: 1.75
Epoch 2/2
100/100 [==============================] - 1s 2ms/step - loss: 1.25 - accuracy: 0.625 - val_loss: 1.5
""", [(1, {"accuracy": 0.5, "loss": 1.5, "val_accuracy": 0.25, "val_loss": 1.75}), (2, {"loss": 1.25, "val_loss": 1.5})]),
    "Keras lines": ("""
Epoch 1/3
100/100 - 1s - 10ms/step - accuracy: 0.5 - loss: 1.5 - val_loss: 1.75
Epoch 2/3
100/100 - 1s - 10ms/step - accuracy: 0.75 - loss: 1.25e-04 - val_loss: nan
""", [(1, {"accuracy": 0.5, "loss": 1.5, "val_loss": 1.75}), (2, {"loss": 1.25e-4, "val_loss": nan})]),
    "Lightning, tqdm": ("""
Epoch 0:  50%|█████     | 5/10 [00:00<00:00, 9.1it/s, loss=0.5, v_num=0]
Epoch 0: 100%|██████████| 10/10 [00:01<00:00, 9.1it/s, loss=0.25, v_num=0]
Epoch 1: 100%|██████████| 10/10 [00:01<00:00, 9.1it/s, loss=0.125, v_num=0, val_loss=0.75]
""", [(5, {"loss": 0.5}), (10, {"loss": 0.25}), (20, {"loss": 0.125, "val_loss": 0.75})]),
    "Lightning, rich": ("""
Epoch 0/9  ━━━━━━━━━━━━━━━━━━━━━━━━━━ 10/10 0:00:01 • 0:00:00 9.10it/s v_num: 0 train_loss: 0.5
Epoch 1/9  ━━━━━━━━━━━━━━━━━━━━━━━━━━ 10/10 0:00:01 • 0:00:00 9.10it/s v_num: 0 train_loss: 0.25
""", [(10, {"train_loss": 0.5}), (20, {"train_loss": 0.25})]),
    "tqdm, a title with numbers": ("""
epoch 1 loss 0.5000: 100%|██████████| 20/20 [00:01<00:00, 19.1it/s]
epoch 2 loss 0.2500: 100%|██████████| 20/20 [00:01<00:00, 19.1it/s]
""", [(20, {"loss": 0.5}), (40, {"loss": 0.25})]),
    "tqdm without a title": ("""
 50%|█████     | 10/20 [00:01<00:01, 9.1it/s, loss=0.5]\r100%|██████████| 20/20 [00:02<00:00, 9.1it/s, loss=0.25]
 50%|█████     | 10/20 [00:01<00:01, 9.1it/s, loss=0.125]
""", [(10, {"loss": 0.5}), (20, {"loss": 0.25}), (30, {"loss": 0.125})]),
    "Ultralytics": ("""
      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size
        1/3      2.51G      1.25       2.5      1.125         16        640:  50%|█████     | 4/8 [00:01<00:01,  4.0it/s]\r        1/3      2.51G       1.5      2.25      1.125         16        640: 100%|██████████| 8/8 [00:02<00:00,  4.0it/s]
                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 4/4 [00:01<00:00,  3.0it/s]
                   all        128        929      0.625        0.5       0.75      0.375
        2/3      2.51G      1.25      2.25      1.125         16        640: 100% ━━━━━━━━━━━━ 8/8 6.1it/s 1.3s
""", [(1, {"train/box_loss": 1.5, "train/cls_loss": 2.25, "train/dfl_loss": 1.125}),
      (1, {"precision": 0.625, "recall": 0.5, "map50": 0.75, "map50-95": 0.375}),
      (2, {"train/box_loss": 1.25})]),
    "fairseq, columns": ("""
| epoch 001 | loss 12.5 | nll_loss 11.5 | ppl 2934.25 | wps 5000 | num_updates 100 | lr 1.25e-05 | gnorm 2.5 | train_wall 80
| epoch 001 | valid on 'valid' subset | loss 5.5 | nll_loss 4.5 | ppl 22.5 | num_updates 100 | best_loss 5.5
2024-05-01 12:00:00 | INFO | train | epoch 002 | loss 11.5 | nll_loss 10.5 | num_updates 200 | lr 2.5e-05
2024-05-01 12:00:00 | INFO | train_inner | epoch 002:    100 / 1000 loss=11.25, nll_loss=10.25, num_updates=250, lr=2e-05
""", [(100, {"loss": 12.5, "nll_loss": 11.5, "ppl": 2934.25, "lr": 1.25e-5, "gnorm": 2.5}), (100, {"val_loss": 5.5, "val_ppl": 22.5}),
      (200, {"loss": 11.5}), (250, {"loss": 11.25, "nll_loss": 10.25})]),
    "fairseq, JSON": ("""
2024-05-01 12:00:00 | INFO | train_inner | {"epoch": 1, "update": 0.1, "loss": "12.5", "nll_loss": "11.5", "num_updates": "100", "lr": "1e-05"}
2024-05-01 12:00:00 | INFO | valid | {"epoch": 1, "valid_loss": "5.5", "valid_num_updates": "100"}
""", [(100, {"loss": 12.5, "lr": 1e-5}), (100, {"valid_loss": 5.5})]),
    "detectron2": ("""
[05/01 12:00:00 d2.utils.events]:  eta: 0:05:00  iter: 19  total_loss: 1.25  loss_cls: 0.5  loss_box_reg: 0.75    time: 0.3  last_time: 0.3  data_time: 0.01  last_data_time: 0.01   lr: 0.00025  max_mem: 2000M
[05/01 12:00:10 d2.utils.events]:  eta: 1 day, 0:05:00  iter: 39  total_loss: 1.125  loss_cls: 0.5  lr: 0.0005  max_mem: 2000M
""", [(19, {"total_loss": 1.25, "loss_cls": 0.5, "loss_box_reg": 0.75, "lr": 0.00025}), (39, {"total_loss": 1.125})]),
    "MMEngine": ("""
2024/05/01 12:00:00 - mmengine - INFO - Epoch(train)   [1][ 50/100]  lr: 1.0000e-02  eta: 0:10:00  time: 0.5  data_time: 0.1  memory: 2000  loss: 1.25  loss_cls: 0.75
2024/05/01 12:00:00 - mmengine - INFO - Epoch(train)   [2][ 50/100]  lr: 1.0000e-02  eta: 0:09:00  time: 0.5  data_time: 0.1  memory: 2000  loss: 1.125
2024/05/01 12:00:00 - mmengine - INFO - Epoch(val)   [2][50/50]    coco/bbox_mAP: 0.125  coco/bbox_mAP_50: 0.25  data_time: 0.01  time: 0.1
2024/05/01 12:00:00 - mmengine - INFO - Epoch(val)   [2][ 10/50]    eta: 0:00:01  time: 0.1  data_time: 0.01  memory: 900
""", [(50, {"lr": 0.01, "loss": 1.25, "loss_cls": 0.75}), (150, {"loss": 1.125}),
      (150, {"val_coco/bbox_mAP": 0.125, "val_coco/bbox_mAP_50": 0.25})]),
    "MMEngine, iterations": ("""
2024/05/01 12:00:00 - mmengine - INFO - Iter(train) [  50/1000]  base_lr: 1.0000e-02 lr: 1.0000e-02  eta: 0:10:00  time: 0.5  data_time: 0.1  memory: 2000  loss: 1.25  decode.acc_seg: 62.5
2024/05/01 12:00:00 - mmengine - INFO - Iter(val) [50/50]    aAcc: 50.0  mIoU: 25.5  mAcc: 30.5  data_time: 0.01  time: 0.1
""", [(50, {"loss": 1.25, "decode.acc_seg": 62.5}), (50, {"val_mIoU": 25.5})]),
    "mmcv": ("""
2022-05-01 12:00:00,123 - mmdet - INFO - Epoch [1][50/100]\tlr: 1.000e-02, eta: 1:00:00, time: 0.5, data_time: 0.1, memory: 2000, loss_cls: 0.5, acc: 90.5, loss: 1.25
2022-05-01 12:00:10,123 - mmdet - INFO - Epoch [2][50/100]\tlr: 1.000e-02, eta: 1:00:00, time: 0.5, loss: 1.125
""", [(50, {"lr": 0.01, "loss_cls": 0.5, "acc": 90.5, "loss": 1.25}), (150, {"loss": 1.125})]),
    "PyTorch MNIST": ("""
Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.305400
Train Epoch: 1 [640/60000 (1%)]\tLoss: 1.250000
Train Epoch: 2 [640/60000 (1%)]\tLoss: 0.500000
Test set: Average loss: 0.0625, Accuracy: 9800/10000 (98%)
""", [(0, {"loss": 2.3054}), (640, {"loss": 1.25}), (60640, {"loss": 0.5}), (60640, {"test_loss": 0.0625, "test_accuracy": 98.0})]),
    "PyTorch ImageNet": ("""
Epoch: [0][  10/5005]\tTime  0.512 ( 1.234)\tData  0.001 ( 0.312)\tLoss 6.5000e+00 (6.9375e+00)\tAcc@1   0.50 (  0.25)\tAcc@5   1.50 (  0.75)
Epoch: [1][  10/5005]\tTime  0.512 ( 1.234)\tData  0.001 ( 0.312)\tLoss 5.5000e+00 (5.9375e+00)\tAcc@1   1.50 (  1.25)\tAcc@5   2.50 (  1.75)
Test: [98/98]\tTime  0.512 ( 1.234)\tLoss 5.0000e+00 (5.2500e+00)\tAcc@1   2.50 (  2.25)\tAcc@5   5.50 (  4.75)
""", [(10, {"loss": 6.5, "acc@1": 0.5, "acc@5": 1.5}), (5015, {"loss": 5.5}), (5015, {"test_loss": 5.25, "test_acc@1": 2.25})]),
    "timm": ("""
Train: 0 [   0/1251 (  0%)]  Loss: 6.95 (6.95)  Time: 3.312s,  309.2/s  (3.312s,  309.2/s)  LR: 1.000e-06  Data: 1.5 (1.5)
Train: 0 [  50/1251 (  4%)]  Loss: 6.75 (6.85)  Time: 0.312s, 3282.1/s  (0.371s, 2760.2/s)  LR: 1.000e-06  Data: 0.011 (0.040)
Train: 1 [  50/1251 (  4%)]  Loss:  6.25 (6.35)  Time: 0.312s, 3282.1/s  (0.371s, 2760.2/s)  LR: 2.000e-06  Data: 0.011 (0.040)
Test: [   0/48]  Time: 1.5 (1.5)  Loss:  6.5 (6.5)  Acc@1: 0.5 ( 0.5)  Acc@5: 1.5 ( 1.5)
Test: [  48/48]  Time: 0.1 (0.2)  Loss:  6.25 (6.125)  Acc@1: 1.5 ( 2.5)  Acc@5: 3.5 ( 4.5)
""", [(0, {"loss": 6.95, "lr": 1e-6}), (50, {"loss": 6.75}), (1301, {"loss": 6.25}),
      (1301, {"test_loss": 6.125, "test_acc@1": 2.5, "test_acc@5": 4.5})]),
    "PyTorch word language model": ("""
| epoch   1 |   200/ 2928 batches | lr 20.00 | ms/batch 31.25 | loss  7.50 | ppl  1808.04
| epoch   2 |   200/ 2928 batches | lr 20.00 | ms/batch 31.25 | loss  5.50 | ppl   244.69
""", [(200, {"lr": 20.0, "loss": 7.5, "ppl": 1808.04}), (3128, {"loss": 5.5})]),
    "CIFAR tutorial": ("""
[1,  2000] loss: 2.173
[1,  4000] loss: 1.846
[2,  2000] loss: 1.5
""", [(2000, {"loss": 2.173}), (4000, {"loss": 1.846}), (6000, {"loss": 1.5})]),
    "epoch and step in brackets": ("""
Epoch [1/5], Step [100/600], Loss: 0.5
Epoch [1/5], Step [600/600], Loss: 0.25
Epoch [2/5], Step [100/600], Loss: 0.125
""", [(100, {"loss": 0.5}), (600, {"loss": 0.25}), (700, {"loss": 0.125})]),
    "step and loss": ("""
step 100 loss 0.52
Step: 200, Loss: 0.50
step=300 loss=0.48 lr=1e-3
Step 400: loss = 0.46
step 500 | loss 0.44 | acc 90%
global_step: 600 - train loss: 1,234.5
iter: 700 loss: nan
Iteration 800, loss = -inf
step 900/1000 loss 0.25
[1000/1000] loss: 0.5 acc: 90%
""", [(100, {"loss": 0.52}), (200, {"loss": 0.5}), (300, {"loss": 0.48, "lr": 0.001}), (400, {"loss": 0.46}),
      (500, {"loss": 0.44, "acc": 90.0}), (600, {"train_loss": 1234.5}), (700, {"loss": nan}), (800, {"loss": -inf}),
      (900, {"loss": 0.25}), (1000, {"loss": 0.5, "acc": 90.0})]),
    "epochs": ("""
Epoch 1/10 - train loss: 0.5 - val loss: 0.75
Epoch: 2 | Train Loss: 0.25 | Val. Loss: 0.5 | Val Acc: 62.5%
epoch 3 train_loss 0.2 val_acc 0.9
Epoch 4, Training Loss: 0.125, Validation Accuracy: 91.5 %
epoch=5 loss=tensor(0.0625, device='cuda:0') f1=0.5
[epoch 6] loss: .5e-1, mIoU: 55.25
""", [(1, {"train_loss": 0.5, "val_loss": 0.75}), (2, {"train_loss": 0.25, "val_acc": 62.5}), (3, {"train_loss": 0.2, "val_acc": 0.9}),
      (4, {"train_loss": 0.125, "val_accuracy": 91.5}), (5, {"loss": 0.0625, "f1": 0.5}), (6, {"loss": 0.05, "miou": 55.25})]),
    "epochs amid steps": ("""
step 100 loss 0.5
step 200 loss 0.25
epoch 1 val_loss 0.75
step 300 loss 0.125
epoch 2 val_loss 0.5
""", [(100, {"loss": 0.5}), (200, {"loss": 0.25}), (200, {"val_loss": 0.75, "epoch": 1.0}), (300, {"loss": 0.125}), (300, {"val_loss": 0.5})]),
    "the logging module": ("""
INFO:root:step 1 loss 0.5
INFO:train:epoch 2: loss=0.25, acc=0.75
2024-05-01 12:00:00,123 - trainer - INFO - step: 3, loss: 0.125
[2024-05-01 12:00:00,123][__main__][INFO] - Step 4 loss 0.5
2024-05-01 12:00:00.123 | INFO     | train:main:42 - step 5 | loss 0.25
12:00:00 [INFO] step 6: loss=0.125, grad_norm=1.5
\x1b[32m2024-05-01 12:00:00\x1b[0m \x1b[1mINFO\x1b[0m step 7 loss \x1b[33m0.5\x1b[0m
I0501 12:00:00.123456 1234 train.py:42] Step 8: loss = 0.25
""", [(1, {"loss": 0.5}), (1, {"loss": 0.25, "acc": 0.75}), (3, {"loss": 0.125}), (4, {"loss": 0.5}), (5, {"loss": 0.25}),
      (6, {"loss": 0.125, "grad_norm": 1.5}), (7, {"loss": 0.5}), (8, {"loss": 0.25})]),
    "structured": ("""
time=2024-05-01T12:00:00Z level=info msg=train step=1 loss=0.5 lr=0.001
level=info iteration=2 loss=0.25 reward=12.5
step:3/9536 train_loss:10.8258 train_time:0ms step_avg:nanms
step:125/9536 val_loss:6.5221 train_time:17ms step_avg:0.1ms
""", [(1, {"loss": 0.5, "lr": 0.001}), (2, {"loss": 0.25, "reward": 12.5}), (3, {"train_loss": 10.8258}), (125, {"val_loss": 6.5221})]),
    "rewards": ("""
Iteration 1: mean reward: 12.5, entropy: 0.75
update 2 reward=-3.25 kl=0.0125
""", [(1, {"mean_reward": 12.5, "entropy": 0.75}), (2, {"reward": -3.25, "kl": 0.0125})]),
}  # fmt: skip
