"""JupyterHub on one Linux host, where every student has an account of the system."""

c = get_config()  # noqa: F821  whoever reads this file provides it

c.JupyterHub.bind_url = "https://:443"
c.JupyterHub.ssl_key = "/etc/jupyterhub/tls.key"
c.JupyterHub.ssl_cert = "/etc/jupyterhub/tls.crt"
c.JupyterHub.authenticator_class = "pam"
c.LocalAuthenticator.allowed_groups = {"students", "instructors"}
c.Authenticator.admin_users = {"instructor"}

# Each server is a unit of systemd: with limits, a folder for temporary files that nobody else sees, and no way to the
# course's folder but for those whom the file system lets in.
c.JupyterHub.spawner_class = "systemd"
c.SystemdSpawner.mem_limit = "2G"
c.SystemdSpawner.cpu_limit = 2.0
c.SystemdSpawner.isolate_tmp = True
c.SystemdSpawner.disable_user_sudo = True
c.SystemdSpawner.unit_extra_properties = {"UMask": "0077", "TasksMax": "512", "ProtectProc": "invisible"}
c.SystemdSpawner.extra_paths = ["/opt/autograder/bin"]
c.SystemdSpawner.default_url = "/lab"
# A class comes all at once.
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.Spawner.environment = {"AUTOGRADER_EXERCISES": "/opt/course/exercises"}
