# prepare: Pull LibreLane's image
python -m a6hub_jupyter.toolchains.pull docker ghcr.io/librelane/librelane:3.0.17

# librelane
docker run --rm --name a6hub-20261123-121314-counter-abcdef --interactive --tty --stop-signal SIGINT --user 1000:1000 --mount type=bind,source=/opt/pdks,target=/opt/pdks --mount type=bind,source=/home/ada/course/counter,target=/home/ada/course/counter --mount type=bind,source=/home/ada/.local/share/jupyter/a6hub/builds/b1,target=/home/ada/.local/share/jupyter/a6hub/builds/b1 --workdir /home/ada/course/counter --env TERM --env COLUMNS --env LINES --env PDK_ROOT=/opt/pdks ghcr.io/librelane/librelane:3.0.17 python3 -P -m librelane --manual-pdk --pdk-root /opt/pdks --pdk sky130A --scl sky130_fd_sc_hd --flow Classic --run-tag 20261123-121314-counter-abcdef --design-dir /home/ada/course/counter --hide-progress-bar --jobs 2 --to OpenROAD.Floorplan --skip KLayout.DRC /home/ada/.local/share/jupyter/a6hub/builds/b1/config.json

# ask it to stop
docker stop -t 10 a6hub-20261123-121314-counter-abcdef

# end it
docker rm --force a6hub-20261123-121314-counter-abcdef
