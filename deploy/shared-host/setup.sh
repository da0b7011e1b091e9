#!/bin/sh
# Sets up one host (Debian 12 or later), as root, from the root of the repository:
#     apt-get install python3-venv nodejs npm openssl
# Can be run again, for another version of the program and of the tasks; the course, its gradebook and the settings of
# the host stay as they are.
set -eu
umask 022

for program in python3 npm openssl systemctl; do
    command -v "$program" > /dev/null || { echo "setup.sh needs $program" >&2; exit 1; }
done

# The program: read by everybody, written by nobody.  What instructors do with formgrader is no menu of a student.
python3 -m venv /opt/autograder
/opt/autograder/bin/pip install -c constraints.txt . jupyterhub==5.5.0 jupyterhub-systemdspawner==1.0.2
npm install --global --prefix /opt/autograder configurable-http-proxy@5.1.0
for extension in formgrader course_list; do
    /opt/autograder/bin/jupyter server extension disable --sys-prefix "nbgrader.server_extensions.$extension"
done
for plugin in formgrader course-list create-assignment; do
    /opt/autograder/bin/jupyter labextension disable --level=sys_prefix "@jupyter/nbgrader:$plugin"
done
install -m 0644 deploy/shared-host/profile.sh /etc/profile.d/autograder.sh

# Tasks and checks, without solutions; nobody sees them before these are gone.
install -d /opt/course
fresh=$(mktemp -d /opt/course/XXXXXX)
cp -rT course/exercises "$fresh"
find "$fresh" \( -name accepted -o -name mutants \) -prune -exec rm -r {} +
find "$fresh" -name 'solution.*' -exec truncate -s 0 {} +
chmod -R u=rwX,go=rX "$fresh"
rm -rf /opt/course/exercises
mv "$fresh" /opt/course/exercises

# The course: sources with solutions, submissions, gradebook and secret.  Only the instructor gets in.
getent group instructors > /dev/null || groupadd instructors
getent group students > /dev/null || groupadd students
id instructor > /dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups instructors instructor
if [ ! -e /srv/course ]; then
    install -d -m 0700 /srv/course
    cp -r course/exercises course/source course/nbgrader_config.py course/versions.yaml /srv/course/
    ln -s /srv/exchange /srv/course/exchange
    chown -R -h instructor:instructor /srv/course
fi

# nbgrader's exchange: who may write where is a matter of owners, so that it needs an account for each student.
# nbgrader wants to see a folder that everybody may write in; what is in it can only be moved by its owner.
install -d -m 1777 /srv/exchange
install -d -o instructor -g instructor -m 0755 /srv/exchange/kubernetes
install -d /etc/jupyter
for settings in nbgrader_config.py jupyter_server_config.py; do
    install -m 0644 "deploy/shared-host/$settings" "/etc/jupyter/$settings"
done

# Homes are closed; answers and kubeconfigs lie in them.
sed -i 's/^#\?\s*HOME_MODE.*/HOME_MODE 0700/' /etc/login.defs
for home in /home/*/; do
    [ ! -d "$home" ] || chmod 0700 "$home"
done

# The hub.  The certificate is its own until you put a better one in its place.
install -d -m 0700 /etc/jupyterhub
[ -e /etc/jupyterhub/jupyterhub_config.py ] ||
    install -m 0600 deploy/shared-host/jupyterhub_config.py /etc/jupyterhub/jupyterhub_config.py
[ -e /etc/jupyterhub/tls.key ] ||
    openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN=$(hostname)" \
        -keyout /etc/jupyterhub/tls.key -out /etc/jupyterhub/tls.crt
install -m 0644 deploy/shared-host/jupyterhub.service /etc/systemd/system/jupyterhub.service
systemctl daemon-reload
systemctl enable jupyterhub
systemctl restart jupyterhub
