# prepare: Fetch LibreLane's image
python -m a6hub_jupyter.toolchains.pull apptainer docker://ghcr.io/librelane/librelane:3.0.17 /scratch/images/librelane.sif

# librelane
apptainer exec --cleanenv --no-home --mount type=bind,source=/opt/pdks,target=/opt/pdks --mount type=bind,source=/home/ada/course/counter,target=/home/ada/course/counter --mount type=bind,source=/home/ada/.local/share/jupyter/a6hub/builds/b1,target=/home/ada/.local/share/jupyter/a6hub/builds/b1 --pwd /home/ada/course/counter --env TERM=xterm-256color --env COLUMNS=200 --env PDK_ROOT=/opt/pdks /scratch/images/librelane.sif python3 -P -m librelane --manual-pdk --pdk-root /opt/pdks --pdk sky130A --scl sky130_fd_sc_hd --flow Classic --run-tag 20261123-121314-counter-abcdef --design-dir /home/ada/course/counter --hide-progress-bar --jobs 2 --to OpenROAD.Floorplan --skip KLayout.DRC /home/ada/.local/share/jupyter/a6hub/builds/b1/config.json
