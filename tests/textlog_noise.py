# ruff: noqa: E501 - the lines are as programs print them
"""Lines that logs hold and that are no training: none of them is a row."""

NOISE = r"""
Collecting torch==2.13.0
  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (880.1 MB)
     ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 880.1/880.1 MB 3.2 MB/s eta 0:00:00
Requirement already satisfied: numpy>=1.21 in ./lib/python3.11/site-packages (from torch) (2.3.1)
Successfully installed accelerate-1.10.0 torchmetrics-1.8.1 accuracy-0.3
Building wheels for collected packages: stepper, iter-tools
Running setup.py install for loss-landscape: finished with status 'done'
WARNING: You are using pip version 21.2.4; however, version 25.2 is available.
[notice] A new release of pip is available: 24.0 -> 25.2
Looking in indexes: http://127.0.0.1:8081/simple
npm WARN deprecated har-validator@5.1.5: this library is no longer supported
Step 1/12 : FROM nvidia/cuda:12.8.0-base-ubuntu24.04
Step 2/12 : RUN pip install accuracy==1.0
 ---> Running in 1a2b3c4d5e6f
#12 [ 4/10] RUN pip install torch loss=1
Traceback (most recent call last):
  File "/home/me/train.py", line 120, in <module>
  File "/home/me/train.py", line 88, in train_step
    loss = criterion(output, target)  # step 3 loss 0.5
    loss.backward()
RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 7.93 GiB total capacity; 6.50 GiB already allocated)
ValueError: Expected input batch_size (32) to match target batch_size (64).
AssertionError: loss at step 100 is nan
AssertionError: expected loss 0.5 at step 10, got 0.7
RuntimeError: loss diverged at step 500: loss=nan
KeyError: 'loss'
ZeroDivisionError: float division by zero at iteration 3
FloatingPointError: Loss became infinite or NaN at iteration=100!
UserWarning: Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later
/usr/lib/python3.11/site-packages/torch/optim/lr_scheduler.py:243: UserWarning: The epoch parameter in `scheduler.step()` was not necessary
Process finished with exit code 1
Segmentation fault (core dumped)
Killed
Terminated
slurmstepd: error: *** STEP 123456.0 ON node01 CANCELLED AT 2024-05-01T12:00:00 DUE TO TIME LIMIT ***
slurmstepd: error: Detected 1 oom_kill event in StepId=4242.batch. Some of the step tasks have been OOM Killed.
srun: job 123456 queued and waiting for resources
srun: Job step aborted: Waiting up to 32 seconds for job step to finish.
srun: error: node01: task 0: Exited with exit code 1
Submitted batch job 123456
step 3 of the plan has 2 parts
In step 2 the loss is computed over 16 samples.
We train for 3 epochs with batch size 32 and loss weight 0.5
the loss at epoch 3 was about half of that at epoch 1
Next step: 4 loss functions to compare
The accuracy of step 2 depends on the 3 losses below.
See section 3.2 for the loss and step 4 for accuracy
Step 1. Prepare the data
Step 2: evaluate the model on the 10 tasks
Epoch 3 started at 2024-05-01 12:00:00
Epoch 3 took 12.3s
Epoch 3 finished in 0:12:30
Epoch 4/10
Epoch 12: data loading 3.2s, forward 5.1s, backward 7.7s
step 100: data 0.1s, forward 0.2s, backward 0.4s
iter 20 time 12.5ms
iteration 100 elapsed time: 12.3
step 500 took 0.35 seconds
[2024-05-01 12:00:00] step 12 done
Timing: step=0.35s forward=0.12s backward=0.2s
epoch time: 34.5 s
100 steps in 23.4 s (4.27 steps/s)
Saving checkpoint at step 1000 to out/step_1000_loss_0.52.pt
Saved checkpoint out/epoch=3-val_loss=0.52.ckpt
Saving model checkpoint to output/checkpoint-500
checkpoint saved: epoch_10_acc_0.93.pth
Loading checkpoint runs/epoch=3-step=1200-loss=0.31.ckpt
Resumed from step 1000 (loss 0.52)
resuming training from iteration 2000, best loss 0.42
Best val_acc: 0.93 at epoch 12
best loss 0.42 at step 300
Early stopping: val_loss did not improve for 5 epochs, best 0.31
EarlyStopping counter: 3 out of 10
Epoch 00005: val_loss did not improve from 0.52310
Epoch 5: val_loss improved from 0.52310 to 0.51200, saving model to best.keras
Epoch 12: reducing lr of group 0 to 1.0000e-04.
Epoch 00012: ReduceLROnPlateau reducing learning rate to 0.0001.
Restoring model weights from the end of the best epoch: 7 with loss 0.31.
Namespace(batch_size=64, epochs=10, lr=0.001, step=5, loss='mse', gamma=0.7)
args: Namespace(loss=0.5, step=10)
TrainingArguments(eval_steps=500, learning_rate=5e-05, num_train_epochs=3, loss_scale=0.0)
{'batch_size': 64, 'epochs': 10, 'lr': 0.001}
{'step_size': 10, 'gamma': 0.1, 'accuracy_threshold': 0.9}
{"level":"info","ts":1714557600.1,"msg":"listening","port":8080}
{"level":"error","time":"2024-05-01T12:00:00Z","msg":"request failed","status":500,"latency":0.012}
{"event": "deploy", "step": 3, "of": 10}
{"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "rms_norm_eps": 1e-05}
{"name": "step", "value": 3}
{'a': 1, 'b': {'c': 2}}
{}
{'loss'
{"loss": 
model = Net(loss=0.5, step=3)
config: epochs=100 lr=0.001 loss_weight=0.5 step_size=30
Config: step 100 loss mse lr 0.1
learning_rate: 0.001
batch_size: 64
num_epochs: 100
warmup_steps: 500
loss_weight: 0.5
max_steps: 10000
label_smoothing: 0.1
seed: 42
loss: cross_entropy
metric: accuracy
Using loss: BCEWithLogitsLoss
Loss function: mse, optimizer: adam, lr: 0.001
optimizer.step() took 12 ms
  (loss): CrossEntropyLoss()
  (0): Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
  (layer1): Linear(in_features=784, out_features=10, bias=True)
  | Name    | Type             | Params | Mode
0 | model   | Sequential       | 101 K  | train
1 | loss_fn | CrossEntropyLoss | 0      | train
0.407     Total estimated model params size (MB)
Sanity Checking DataLoader 0:   0%|          | 0/2 [00:00<?, ?it/s]
Map: 100%|██████████| 1000/1000 [00:00<00:00, 5000.12 examples/s]
Downloading data: 100%|██████████| 9.91M/9.91M [00:01<00:00, 7.61MB/s]
Loading checkpoint shards: 100%|██████████| 4/4 [00:07<00:00,  1.89s/it]
100%|██████████| 170498071/170498071 [00:13<00:00, 12785419.93it/s]
 10%|█         | 10/100 [00:01<00:09,  9.5it/s]
Epoch 3:  40%|████      | 4/10 [00:01<00:02,  2.5it/s]
Epoch 3:  40%|████      | 4/10 [00:01<00:02,  2.5it/s, v_num=0]
Generating train split: 25000 examples [00:00, 120000.00 examples/s]
Filter (num_proc=4): 100%|##########| 500/500 [00:00<00:00, 2300.00 examples/s]
model.safetensors: 100%|██████████| 548M/548M [00:10<00:00, 52.3MB/s]
127.0.0.1 - - [01/May/2024 12:00:00] "GET /metrics?step=3&loss=0.5 HTTP/1.1" 200 -
10.0.0.1 - - [01/May/2024:12:00:00 +0000] "GET /step/100 HTTP/1.1" 404 153
INFO:     127.0.0.1:52114 - "GET /epoch HTTP/1.1" 200 OK
INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)
Connecting to 192.168.1.10:29500 rank 0 world_size 8
[rank0]:[W501 12:00:00.123 ProcessGroupNCCL.cpp:1250] Warning: process group has NOT been destroyed
node01:1234:1234 [0] NCCL INFO Bootstrap : Using eth0:10.0.0.5<0>
node01:1234:1300 [0] NCCL INFO Channel 00/02 :    0   1
NCCL version 2.27.3+cuda12.9
| distributed init (rank 0): env://, gpu 0
Initializing distributed: GLOBAL_RANK: 0, MEMBER: 1/2
LOCAL_RANK: 0 - CUDA_VISIBLE_DEVICES: [0,1]
cuDNN version: 91002
torch 2.13.0+cu130, python 3.11.7
Version 1.2.3 released 2024-05-01
2024-05-01 12:00:00
2024-05-01 12:00:00,123 INFO root: starting
2024-05-01 12:00:00.123 | INFO     | __main__:main:42 - epoch 3 begins
2024-05-01T12:00:00Z step 3 accepted by 10.0.0.1
[2024-05-01 12:00:00,123][INFO] - Loading 3 shards in 2 steps
I0501 12:00:00.123456 1234 main.cc:42] step 3 score of host 10.0.0.2
W0000 00:00:1714557600.123456    1234 gpu_device.cc:2344] Cannot dlopen some GPU libraries
2024-05-01 12:00:00.1: I tensorflow/core/platform/cpu_feature_guard.cc:210] This TensorFlow binary is optimized
2024-05-01 12:00:00.123456: Epoch 12
2024-05-01 12:00:00.123456: This is the configuration used by this training:
2024-05-01 12:00:00.123456: Using torch.compile...
2024-05-01 12:00:00.123456: unpacking done...
wandb: Tracking run with wandb version 0.31.0
wandb: Run data is saved locally in /home/me/wandb/run-20240501_120000-abcd1234
wandb: ⭐️ View project at https://wandb.ai/me/loss-step-3
wandb:       train/loss ▇▆▅▄▃▂▁
Fri May  1 12:00:00 2024
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 570.86.10              Driver Version: 570.86.10      CUDA Version: 12.8     |
|   0  NVIDIA H100 80GB HBM3          On  |   00000000:18:00.0 Off |                    0 |
| N/A   34C    P0             70W /  700W |       1MiB /  81559MiB |      0%      Default |
MiB Mem :  64219.4 total,   1234.5 free,  32100.2 used,  30884.7 buff/cache
CPU 12% RAM 34% step
diff --git a/train.py b/train.py
@@ -10,7 +10,7 @@ def train(step, loss):
-    if step % 100 == 0: print(f"step {step} loss {loss:.4f}")
+    print(f"step {step}: loss {loss.item():.4f}")
commit 1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b
    Fix loss at step 0 (#123)
tests/test_loss.py::test_step_3 PASSED                                   [ 50%]
tests/test_train.py::test_epoch[3-0.5] FAILED                            [ 66%]
============================== 12 passed in 3.45s ==============================
E       assert 0.52 == 0.5 +- 5.0e-07  # loss at step 3
make[1]: *** [Makefile:12: loss.o] Error 2
gcc -O2 -c step3.c -o loss_0.5.o
[ 50%] Building CXX object CMakeFiles/loss.dir/step.cpp.o
[3/10] Compiling loss.cu
[2/4] c++ -MMD -MF main.o.d -DTORCH_EXTENSION_NAME=fused_loss -std=c++17
total loss of packets: 3 of 100 (3%)
--- 10.0.0.1 ping statistics --- 5 packets transmitted, 5 received, 0% packet loss, time 4005ms
64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.045 ms
rsync: 1,234,567 100%   12.34MB/s    0:00:00 (xfr#3, to-chk=0/10)
game score: 3 to 2 in round 5
update 3 of 10 packages: accept 2
Get:3 http://127.0.0.1/debian stable/main amd64 libaccuracy 1.2.3 [45.6 kB]
iter 3: retry after error: 2
Update 12: 3 errors, score 5
batch 3 has 12 items, 4 errors
Batch 3/10: error 404
iteration 7: return 0
step 12 score 3
step 5 error 2
step: 3, size: 12, rank: 0
Epoch: 3 | time: 12.5 | memory: 2034
if loss < 0.5: break  # at step 3
print(f"epoch {epoch}: loss {loss:.3f}")
loss: 0.52
accuracy = 0.93
The final loss was 0.52.
Loss 0.1.2 step 3
loss=0.5/1.0 version step 3.1
step 2024-05-01 loss 12:30
epoch 1.2.3 acc 4.5.6
step 3 loss 12ms
lossless step 3: 0.5
stepwise 3 accost 0.5
==> step-3 <== loss-0.5
target loss: 0.5 at step 3
Training until loss 0.1 or step 1000
""".strip("\n").split("\n")  # fmt: skip
