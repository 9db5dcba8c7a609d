#!/bin/sh
# Upload lists in partitions by a Slurm job array. Slurm needs to know nothing but how many there are:
#
#   export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=... ASYNCSDK_REDIS_URL=redis://host:6379/0
#   asyncsdk plan STATE LIST... --group 7116
#   sbatch --array=0-63%8 fleet_slurm.sh STATE          # 64 partitions, 8 at a time
#   asyncsdk report STATE                               # how far all of them are, at any time
#
# STATE is a folder that every node sees under the same path. A job that is preempted or requeued goes
# on where it was; one that failed is submitted once more with its number: --array=17.
#
#SBATCH --job-name=asyncsdk
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
#SBATCH --requeue
#SBATCH --signal=TERM@30

exec asyncsdk run "$1" --index-from SLURM_ARRAY_TASK_ID --quiet
