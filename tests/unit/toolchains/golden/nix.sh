# prepare: Fetch LibreLane by Nix
nix --extra-experimental-features 'nix-command flakes' --accept-flake-config build --no-link --print-build-logs github:librelane/librelane/3.0.17

# librelane
nix --extra-experimental-features 'nix-command flakes' --accept-flake-config run github:librelane/librelane/3.0.17 -- --manual-pdk --pdk-root /opt/pdks --pdk sky130A --scl sky130_fd_sc_hd --flow Classic --run-tag 20261123-121314-counter-abcdef --design-dir /home/ada/course/counter --hide-progress-bar --jobs 2 --to OpenROAD.Floorplan --skip KLayout.DRC /home/ada/.local/share/jupyter/a6hub/builds/b1/config.json
