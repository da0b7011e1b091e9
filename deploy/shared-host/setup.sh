#!/bin/sh
# Sets up one host, as root, from the root of the repository.  Can be run again.
set -eu

# The program: read by everybody, written by nobody.
python3 -m venv /opt/autograder
/opt/autograder/bin/pip install -c constraints.txt . jupyterhub jupyterhub-systemdspawner

# Tasks and checks, without solutions.
install -d /opt/course
cp -rT course/exercises /opt/course/exercises
find /opt/course/exercises \( -name accepted -o -name mutants \) -prune -exec rm -r {} +
find /opt/course/exercises -name 'solution.*' -exec truncate -s 0 {} +

# The course: sources with solutions, submissions, gradebook and secret.  Only the instructor gets in.
getent group instructors > /dev/null || groupadd instructors
getent group students > /dev/null || groupadd students
id instructor > /dev/null 2>&1 || useradd --create-home --groups instructors instructor
install -d -o instructor -g instructor -m 0700 /srv/course
cp -rT course /srv/course
chown -R instructor:instructor /srv/course

# nbgrader's exchange: who may write where is a matter of owners, so that it needs an account for each student.
install -d -m 0777 /srv/exchange
install -d /etc/jupyter
install -m 0644 deploy/shared-host/nbgrader_config.py /etc/jupyter/nbgrader_config.py

# Homes are closed; answers and kubeconfigs lie in them.
sed -i 's/^#\?HOME_MODE.*/HOME_MODE 0700/' /etc/login.defs
for home in /home/*; do chmod 0700 "$home"; done

install -d -m 0700 /etc/jupyterhub
install -m 0600 deploy/shared-host/jupyterhub_config.py /etc/jupyterhub/
install -m 0644 deploy/shared-host/jupyterhub.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now jupyterhub
