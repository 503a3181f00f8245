"""nginx: stands before the services that answer anybody (`guarded`), and lets in who may ask.

Directives: nginx.org/en/docs/dirindex.html. The same is refused as by the lab's own programs
(`stack.programs.origin`): a name that is not this machine's, which a page was made to lead here,
and what would change something if another site's page sends it.
"""

import grp
from collections.abc import Mapping
from functools import partial

from stack.loopback import BEHIND, HOST
from stack.run import certificates, guard, probes, reloads
from stack.run.service import Layout, Service
from stack.run.services import ident
from stack.users import unprivileged

PORT = 8880

NAME = "nginx"

_MOST_BYTES = 16 << 20
"""Of a request's body."""

_MAIN = """\
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr crit;
events {{
    worker_connections 4096;
}}
http {{
    access_log off;
    server_tokens off;
    default_type text/plain;
    client_body_temp_path {data}/body;
    proxy_temp_path {data}/proxy;
    fastcgi_temp_path {data}/fastcgi;
    uwsgi_temp_path {data}/uwsgi;
    scgi_temp_path {data}/scgi;

    client_header_timeout 10s;
    client_body_timeout 10s;
    send_timeout 30s;
    keepalive_timeout 75s;
    reset_timedout_connection on;
    large_client_header_buffers 4 16k;
    client_max_body_size {most_bytes};

    # A page of another name that is made to lead here (DNS rebinding).
    map $http_host $elsewhere {{
        "~*^({hosts})(:[0-9]+)?$" "";
        default yes;
    }}
    # What a browser says of a page cannot be forged by it; curl says nothing.
    map $http_origin|http://$http_host $other_origin {{
        "~^\\|" "";
        "~^(?<said>[^|]+)\\|\\k<said>$" "";
        default yes;
    }}
    map $http_sec_fetch_site $other_site {{
        "" "";
        none "";
        same-origin "";
        default yes;
    }}
    map $request_method $changes {{
        GET "";
        HEAD "";
        OPTIONS "";
        default yes;
    }}
    map $changes$other_origin $from_other_origin {{
        yesyes yes;
        default "";
    }}
    map $changes$other_site $from_other_site {{
        yesyes yes;
        default "";
    }}

    # Nothing is written to a disk, which may be full.
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    include {passing};
    # Where an instance is a server's, they speak TLS as well.
    proxy_ssl_trusted_certificate {trusted};
    proxy_ssl_verify on;
    proxy_ssl_name {behind};
    proxy_connect_timeout 5s;
    proxy_read_timeout 150s;
    # Alertmanager and Prometheus let every page read what they answer.
    proxy_hide_header Access-Control-Allow-Origin;
    proxy_hide_header Access-Control-Allow-Headers;
    proxy_hide_header Access-Control-Allow-Methods;
    proxy_hide_header Access-Control-Expose-Headers;
    add_header Content-Security-Policy "frame-ancestors 'none'" always;
    add_header X-Content-Type-Options nosniff always;
    add_header X-Frame-Options DENY always;
    add_header Referrer-Policy no-referrer always;
{servers}}}
"""

_SERVER = """
    server {{
        listen {host}:{port} backlog=2048;
        if ($elsewhere) {{
            return 421 "there is nothing at this host name; ask {host} or localhost\\n";
        }}
        if ($from_other_origin) {{
            return 403 "a page of another site may not send this\\n";
        }}
        if ($from_other_site) {{
            return 403 "a page of another site may not send this\\n";
        }}
{whose}        location /api/v1/admin/ {{
            return 403 "only the lab itself may ask for this\\n";
        }}
        error_page 502 504 @away;
        error_page 413 @large;
        location / {{
            {answer};
        }}
        location @away {{
            return 502 "{name} does not answer\\n";
        }}
        location @large {{
            return 413 "the body is larger than {most_bytes} bytes\\n";
        }}
    }}
"""

# Other users of the machine get nothing where an instance is a server's.
_WHOSE = """\
        auth_request /-/ident;
        location = /-/ident {{
            internal;
            proxy_pass http://unix:{ident}:/;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Host localhost;
            proxy_set_header X-Client $remote_addr:$remote_port;
            proxy_set_header X-Server $server_addr:$server_port;
        }}
"""

_UPSTREAM = """
    upstream {name} {{
        server {behind}:{port};
        keepalive 16;
    }}
"""


def _config(layout: Layout, guarded: Mapping[str, Service]) -> dict[str, str]:
    guarded = {name: one for name, one in guarded.items() if name in layout.ports}
    own = f'return 200 "nginx stands before {", ".join(guarded)}\\n"'
    answers = {NAME: own} | {
        name: f"proxy_pass {guard.scheme(layout)}://{name}" for name in guarded
    }
    upstreams = [
        _UPSTREAM.format(name=name, behind=BEHIND, port=layout.port(name)) for name in guarded
    ]
    whose = _WHOSE.format(ident=ident.at(layout)) if layout.profile.is_production else ""
    servers = [
        _SERVER.format(
            name=name,
            host=HOST,
            port=layout.port(name),
            answer=answer,
            most_bytes=_MOST_BYTES,
            whose=whose,
        )
        for name, answer in answers.items()
    ]
    main = _MAIN.format(
        directory=layout.directory,
        data=layout.data(NAME),
        hosts="|".join(name.replace(".", r"\.") for name in (HOST, "localhost")),
        passing=guard.passing(layout),
        trusted=certificates.authority(layout),
        behind=BEHIND,
        most_bytes=_MOST_BYTES,
        servers="".join(upstreams + servers),
    )
    return {"nginx.conf": main}


def _pid_file(layout: Layout) -> str:
    return str(layout.directory / "nginx.pid")


def make_data(layout: Layout, name: str) -> None:
    """Root's workers run as another user, who has to get to their own folders in it."""
    layout.data(name).mkdir(mode=0o711 if unprivileged() else 0o700)


def program(layout: Layout, name: str) -> list[str]:
    """Arguments with which the nginx of that name runs, its workers unprivileged."""
    workers = unprivileged()
    as_user = (
        ["-g", f"user {workers.pw_name} {grp.getgrgid(workers.pw_gid).gr_name};"] if workers else []
    )
    return [layout.program("nginx", "nginx"), "-p", f"{layout.data(name)}/", "-e", "stderr",
            "-c", str(layout.config(name) / "nginx.conf"), *as_user]  # fmt: skip


def service(services: Mapping[str, Service]) -> Service:
    """What stands before those of `services` that are guarded."""
    guarded = {name: one for name, one in services.items() if one.guarded}
    return Service(
        name=NAME,
        about="stands before those that answer anybody",
        ports={"http": PORT},
        package="nginx",
        config=partial(_config, guarded=guarded),
        command=lambda layout: program(layout, NAME),
        init=lambda layout: make_data(layout, NAME),
        reload=reloads.hangup(_pid_file),
        ready=probes.http(NAME, "/"),
        after=(ident.NAME,),
    )
