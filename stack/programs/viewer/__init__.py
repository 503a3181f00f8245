"""The viewer: shows Grafana's dashboards where Grafana cannot be had, on its port, by its API.

`web` answers; `guard` says who may ask; `dashboards`, `datasources` and `annotations` hold what is
asked for, `upstream` which paths of a data source may be asked, and `proxy` asks them; `assets`
gives the page, which is a package of the store. Settings are Grafana's own provisioning files. Not
here: the page itself, and which panels it can draw. Imports what the programs share and the loose
modules.

What of Grafana's API there is (reference: "Grafana HTTP API", 13.1). "all" means everybody who
reaches the port, "admin" `curl -u admin:PASSWORD`; a wrong password is refused everywhere.

====================================  ========  =================================================
path                                  who       what is different
====================================  ========  =================================================
GET /api/health                       all       `commit` is `viewer`
GET /api/frontend/settings            all       data sources and build alone
GET /api/search                       all       `query`, `tag`, `type`, `limit`, `page`,
                                                `dashboardUIDs`, `folderUIDs`, `sort`; no stars
GET /api/dashboards/uid/UID           all       read-only; `meta.problem` where its file broke
GET /api/datasources/proxy/uid/UID/…  all       only the paths in `upstream`, 30 s, 24 MB
POST of the same                      all       queries alone: query, query_range, series, labels …
GET /api/annotations[/ID]             all       `from`, `to`, `tags`, `matchAny`, `dashboardUID`,
                                                `panelId`, `limit`
POST /api/annotations                 admin     the newest 10,000 are kept
PATCH, DELETE /api/annotations/ID     admin
GET /api/datasources[/uid/UID]        admin     those of the provisioning files, read-only
GET /api/org                          all
GET /metrics                          all       Grafana's names where they fit
GET /api/lab/problems                 all       the lab's own: dashboard files that are broken
GET /incidents                        all       the lab's own: leads to the buttons of a demo
====================================  ========  =================================================

Dashboards may be of every classic schema since Grafana 4: what older ones say the page says anew,
as Grafana does when it opens them (`page/migrate`), and it names what it cannot show in its place.

There is nothing else under /api (404): no users, teams, folders' own pages, playlists, snapshots,
alerting, plugins, /api/ds/query or live channels; nothing that writes, but annotations; no login
page, no tokens, no session: the password goes along with each request that needs it.
"""

VERSION = "13.1.1"
"""The version of Grafana whose HTTP API is answered."""
