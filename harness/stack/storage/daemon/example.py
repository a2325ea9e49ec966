"""The settings with all keys explained, as `config-example` prints them."""

EXAMPLE = """\
# mfs-autonomy: settings of the daemon. Everything here is a default.

# 1 looks and reports; 2 also sends alerts and tidies up; 3 also maps, mends and moves what a person approves;
# 4 also moves by itself; 5 also promotes a metalogger. `mfs-autonomy daemon` begins where it ended: a level that was
# set by the API counts until it is set again.
level: 1

api:
  # Whoever can reach it needs a token all the same (mfs-autonomy token create NAME --role read|operate|approve|admin).
  # Beyond this machine: with tls (below), or on a network that nobody else is on.
  listen: "127.0.0.1:8411"

# The same operations over gRPC (python3-grpcio, python3-protobuf); nothing listens without it.
# grpc:
#   listen: "127.0.0.1:8412"

# TLS for both. Without it, none. A new certificate counts from the next start on.
# tls:
#   certificate: /etc/mfs-autonomy/api.crt      # PEM, with those between it and the root
#   key: /etc/mfs-autonomy/api.key              # nobody else may read it
#   clients: /etc/mfs-autonomy/clients.crt      # who issues clients' certificates: then nobody is heard without one

# How often this host is looked at.
every_s: 10

alerts:
  # Whom to tell: "log" (the daemon's own), or the address of a webhook that takes JSON. Patterns with * and ?.
  routes:
    - to: log
      name: "*"
      subject: "*"
      least: warning        # info, warning, critical
      after_s: 20           # how long it has to last
      again_s: 14400

# Other hosts with a daemon: each tells the others what it has mapped, its moves and its incidents, and who is silent is
# told. Without it, none. All have the same key (mfs-autonomy cluster key, copied by hand); what is said is authentic,
# but not encrypted: a network that nobody else reads.
# cluster:
#   name: n1                # default: the host's name
#   listen: "192.0.2.1:8413"
#   key_file: /etc/mfs-autonomy/cluster.key
#   peers:
#     - {name: n2, address: "192.0.2.2:8413"}
#     - {name: n3, address: "192.0.2.3:8413"}
#   shared: []              # folders with the same name and content on all hosts, other than MooseFS and NFS
#   every_s: 2              # and at once where something changed; who says nothing three times, and for 5 s, is silent

# From level 2 on: snapshots of volumes, by MooseFS's own means, or by clones where the file system has them. What lies
# directly in a folder are its volumes; on MooseFS also folders, each as a whole. They are in .mfs-autonomy-snapshots
# beside them. One more is made before a volume is mended by itself. Without it, none. A folder of MooseFS is in the
# settings of one host.
# snapshots:
#   folders:
#     - {path: /mnt/mfs/images}
#   every_h: 24             # of each volume that was written to since its last one
#   keep: 7                 # of each volume; of one that is gone, all
#   keep_before: 2          # before it was mended
#   every_s: 60             # how often it is looked what is due

# From level 4 on by itself, at level 3 each with a person's approval: another storage class (goal) of MooseFS, by how a
# volume is used. Without it, none. In the settings of one host.
# tiering:
#   folders:
#     - {path: /mnt/mfs/images, least_copies: 2}      # nothing in it ever gets a class of fewer
#   tiers:                  # the hottest first; a volume of another class is left alone
#     - {class: 3CP}
#     - {class: 2CP, idle_h: 336}                     # reads are told by MooseFS once a day (ATIME_MODE)
#   every_s: 600
#   stay_h: 168             # how long a volume keeps what it got
#   most_changes: 4         # in a day
#   most_gib: 1024          # in a day: of volumes, times the copies that they get
#   busy_kib_s: 1024        # whose device here moves so much is hot

# Level 5, on a host with a metalogger: which master it may take the place of. Without it, none.
# The address is one that something with a lease hands out (sfha): who has it may be the master. This is not true HA:
# clients may wait 30 to 120 s, and what was under way may have to be asked again.
# failover:
#   address: 192.0.2.10
#   metalogger: /var/lib/mfs
#   config: /etc/mfs/mfsmaster.cfg
#   every_s: 1              # heartbeat, 3 s at most
#   misses: 3               # so many in a row
"""
