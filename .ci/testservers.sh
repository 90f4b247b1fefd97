#!/bin/sh
# The servers that the tests use, from Debian's packages, which are unpacked and
# not installed: no image registry is needed.
#
#   testservers.sh                    the images redis:8 redis:7 valkey:8 rabbitmq:4
#   testservers.sh redis:7 valkey:8   these images only
#   testservers.sh --force NAME...    make them again even where they exist
#   testservers.sh --check            say which images are missing; exit 1 if any
#   testservers.sh --unpack DIR       no Docker: the servers as programs in DIR/bin,
#                                     for COHORT_TEST_SERVERS=DIR
#
# Needs: Debian's apt-get and dpkg-deb, root, and for images a Docker engine.
# What is there already is not made again.
set -eu
umask 022

say()  { printf 'testservers: %s\n' "$*" >&2; }
die()  { say "ERROR: $*"; exit 1; }

FORCE=0 CHECK=0 WANT= UNPACK=
while [ $# -gt 0 ]; do
	a=$1; shift
	case $a in
	--unpack) [ $# -gt 0 ] || die "--unpack needs a folder"; UNPACK=$1; shift ;;
	--force) FORCE=1 ;;
	--check) CHECK=1 ;;
	-h|--help) sed -n '2,13p' "$0"; exit 0 ;;
	redis:8|redis:7|valkey:8|rabbitmq:4) WANT="$WANT $a" ;;
	*) die "unknown argument '$a' (images known: redis:8 redis:7 valkey:8 rabbitmq:4)" ;;
	esac
done
[ -n "$WANT" ] || WANT="redis:8 redis:7 valkey:8 rabbitmq:4"

if [ -n "$UNPACK" ]; then
	if [ $FORCE = 0 ] && [ -e "$UNPACK/.complete" ]; then say "have $UNPACK"; exit 0; fi
else
command -v docker >/dev/null 2>&1 || die "no docker client: apt-get install -y docker.io"
docker info >/dev/null 2>&1 || die "no Docker engine answers: start one with 'dockerd &' (package docker.io), or set DOCKER_HOST"

have() { docker image inspect "$1" >/dev/null 2>&1; }

MISSING=
for i in $WANT; do
	if [ $FORCE = 0 ] && have "$i"; then say "have $i"; else MISSING="$MISSING $i"; fi
done
if [ $CHECK = 1 ]; then
	[ -z "$MISSING" ] && exit 0
	say "missing:$MISSING"; exit 1
fi
[ -n "$MISSING" ] || exit 0
fi

[ "$(id -u)" = 0 ] || die "must be root to unpack the packages with their owners"
for t in apt-get dpkg-deb tar; do command -v $t >/dev/null 2>&1 || die "$t not found: this script needs a Debian machine"; done

WORK=$(mktemp -d "${TMPDIR:-/tmp}/testservers.XXXXXX")
trap 'rm -rf "$WORK"' EXIT INT TERM

CODENAME=$(. /etc/os-release; echo "${VERSION_CODENAME:-}")
[ -n "$CODENAME" ] || die "/etc/os-release names no Debian code name"

# A private apt of the wanted suite. The mirror is this machine's own one, with
# the code name exchanged; nothing of the machine's apt state is touched.
aptdir() { # suite -> folder
	A=$WORK/apt.$1
	if [ ! -d "$A" ]; then
		mkdir -p "$A/etc" "$A/state/lists/partial" "$A/cache/archives/partial"
		: >"$A/status"
		for f in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
			[ -s "$f" ] || continue
			case $f in *.sources) x=sources ;; *) x=list ;; esac
			grep -v '^#' "$f" | sed "s/\b$CODENAME\b/$1/g" >"$A/etc/debian.$x"
			break
		done
		[ -n "$(ls "$A/etc")" ] || die "no Debian source list found in /etc/apt"
		apt_ "$1" update -qq || die "apt-get update for $1 failed"
	fi
}
apt_() { # suite args...
	s=$1; shift
	apt-get -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$WORK/apt.$s/etc" \
		-o Dir::State="$WORK/apt.$s/state" -o Dir::State::status="$WORK/apt.$s/status" \
		-o Dir::Cache="$WORK/apt.$s/cache" -o APT::Install-Recommends=false \
		-o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 "$@"
}

# unpack SUITE ROOT SKIP-REGEX PACKAGE...: the packages and what they depend on
unpack() {
	suite=$1 root=$2 skip=$3; shift 3
	aptdir "$suite"
	rm -f "$WORK/apt.$suite/cache/archives/"*.deb
	apt_ "$suite" -y -qq --download-only install "$@" busybox-static libc-bin >"$WORK/apt.log" 2>&1 || {
		cat "$WORK/apt.log" >&2; die "download of $* from $suite failed"; }
	mkdir -p "$root"
	for d in bin sbin lib lib64; do mkdir -p "$root/usr/$d"; ln -s "usr/$d" "$root/$d"; done
	for deb in "$WORK/apt.$suite/cache/archives/"*.deb; do
		n=$(basename "$deb"); n=${n%%_*}
		if printf '%s\n' "$n" | grep -Eq "^($skip)\$"; then continue; fi
		# through tar, so that a package's /lib or /bin goes where the links point
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink
	done
	rm -rf "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/info" "$root/usr/share/locale" \
		"$root/usr/share/lintian" "$root/usr/share/bash-completion" "$root/usr/share/zsh" \
		"$root/usr/share/i18n" "$root/usr/lib/systemd" "$root/usr/lib/x86_64-linux-gnu/gconv" \
		"$root/etc/init.d" "$root/etc/logrotate.d" "$root/etc/apparmor.d"
	mkdir -p "$root/tmp" "$root/proc" "$root/sys" "$root/dev" "$root/root" "$root/run" "$root/var/log" "$root/var/lib" "$root/etc"
	chmod 1777 "$root/tmp"
	printf 'root:x:0:0:root:/root:/bin/sh\n%s\n' "${USERLINE:-}" >"$root/etc/passwd"
	printf 'root:x:0:\n%s\n' "${GROUPLINE:-}" >"$root/etc/group"
	printf 'hosts: files dns\npasswd: files\ngroup: files\n' >"$root/etc/nsswitch.conf"
	# the small tools (sh, df, ps, ...): links that never replace a real program
	chroot "$root" /bin/busybox --install -s /usr/bin 2>/dev/null || true
	[ -x "$root/usr/bin/sh" ] || ln -sf busybox "$root/usr/bin/sh"
}

pack() { # ROOT TAG CHANGE...
	root=$1 tag=$2; shift 2
	n=$#
	while [ $n -gt 0 ]; do c=$1; shift; set -- "$@" -c "$c"; n=$((n-1)); done
	tar -C "$root" -c . | docker import "$@" \
		-c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
		-c 'LABEL com.github.cohort-go.test=image' -m 'made locally from Debian packages' - "$tag" >/dev/null \
		|| die "docker import of $tag failed"
}

redislike() { # TAG SUITE SERVER CLI PACKAGES...
	tag=$1 suite=$2 server=$3 cli=$4; shift 4
	root=$WORK/root
	USERLINE="${server%-server}:x:999:999::/data:/bin/sh" GROUPLINE="${server%-server}:x:999:"
	unpack "$suite" "$root" 'adduser|passwd|login.*|debconf|dpkg|tar|procps|init-system-helpers|libpython.*|python.*|perl.*|libdb5.*|libpam.*|libsemanage.*|libsepol.*|libaudit.*|tzdata|openssl.*' "$@"
	mkdir -p "$root/data" "$root/usr/local/bin"; chown 999:999 "$root/data"
	cat >"$root/usr/local/bin/docker-entrypoint.sh" <<-EOF
	#!/bin/sh
	# options or a .conf file alone mean "run the server with them"
	case "\${1:-}" in -*|*.conf) set -- $server "\$@" ;; esac
	exec "\$@"
	EOF
	# the usual images accept clients from outside the container by default, also
	# where a test sets its own entrypoint: so the server name is a wrapper
	cat >"$root/usr/local/bin/$server" <<-EOF
	#!/bin/sh
	case " \$* " in
	*" --protected-mode "*|*" --version "*|*" -v "*|*" --help "*|*" -h "*) exec /usr/bin/$server "\$@" ;;
	esac
	case "\$0" in *-sentinel) exec /usr/bin/$server "\$@" --sentinel --protected-mode no ;; esac
	exec /usr/bin/$server "\$@" --protected-mode no
	EOF
	ln -s "$server" "$root/usr/local/bin/${server%-server}-sentinel"
	chmod 755 "$root"/usr/local/bin/*
	v=$(chroot "$root" "/usr/bin/$server" --version) || die "$server does not start in the new root"
	pack "$root" "$tag" 'ENTRYPOINT ["docker-entrypoint.sh"]' "CMD [\"$server\"]" 'EXPOSE 6379' 'VOLUME /data' 'WORKDIR /data'
	rm -rf "$root"
	say "made $tag: $(printf '%s' "$v" | cut -c1-40)"
}

rabbit() { # TAG SUITE
	root=$WORK/root
	USERLINE='rabbitmq:x:999:999::/var/lib/rabbitmq:/bin/sh' GROUPLINE='rabbitmq:x:999:'
	unpack "$2" "$root" 'adduser|passwd|login.*|debconf|dpkg|tar|init-system-helpers|libpython.*|python.*|perl.*|libdb5.*|libpam.*|libsemanage.*|libsepol.*|libaudit.*|tzdata|socat|logrotate|cron|mount|util-linux' rabbitmq-server erlang-base
	mkdir -p "$root/var/lib/rabbitmq" "$root/var/log/rabbitmq" "$root/etc/rabbitmq/conf.d" "$root/usr/local/bin"
	cat >"$root/etc/rabbitmq/conf.d/10-defaults.conf" <<-EOF
	loopback_users.guest = false
	listeners.tcp.default = 5672
	log.console = true
	log.console.level = info
	log.file = false
	EOF
	cat >"$root/usr/local/bin/docker-entrypoint.sh" <<-'EOF'
	#!/bin/sh
	# RABBITMQ_DEFAULT_USER, _PASS and _VHOST become settings, as in the usual image
	set -e
	if [ "${1:-}" = rabbitmq-server ]; then
		c=/etc/rabbitmq/conf.d/20-env.conf
		: >$c
		[ -z "${RABBITMQ_DEFAULT_USER:-}" ]  || echo "default_user = $RABBITMQ_DEFAULT_USER" >>$c
		[ -z "${RABBITMQ_DEFAULT_PASS:-}" ]  || echo "default_pass = $RABBITMQ_DEFAULT_PASS" >>$c
		[ -z "${RABBITMQ_DEFAULT_VHOST:-}" ] || echo "default_vhost = $RABBITMQ_DEFAULT_VHOST" >>$c
		if [ -n "${RABBITMQ_ERLANG_COOKIE:-}" ]; then
			printf %s "$RABBITMQ_ERLANG_COOKIE" >/var/lib/rabbitmq/.erlang.cookie
			chmod 400 /var/lib/rabbitmq/.erlang.cookie
		fi
		unset RABBITMQ_DEFAULT_USER RABBITMQ_DEFAULT_PASS RABBITMQ_DEFAULT_VHOST RABBITMQ_ERLANG_COOKIE
	fi
	exec "$@"
	EOF
	# Debian's wrappers switch user through su; the container runs as one user, so call the real scripts
	for t in rabbitmq-server rabbitmqctl rabbitmq-plugins rabbitmq-diagnostics rabbitmq-queues; do
		rm -f "$root/usr/sbin/$t"
		printf '#!/bin/sh\nexec /usr/lib/rabbitmq/bin/%s "$@"\n' $t >"$root/usr/local/bin/$t"
	done
	chmod 755 "$root"/usr/local/bin/*
	pack "$root" "$1" 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["rabbitmq-server"]' \
		'EXPOSE 4369 5671 5672 15672 25672' 'VOLUME /var/lib/rabbitmq' 'ENV HOME=/var/lib/rabbitmq' \
		'ENV LANG=C.UTF-8' 'ENV ELIXIR_ERL_OPTIONS=+fnu'
	v=$(ls "$root"/usr/lib/rabbitmq/lib | head -1)
	rm -rf "$root"
	say "made $1: $v"
}

servers() { # DIR: the servers for child processes; see --unpack
	rm -rf "$1"; mkdir -p "$1/bin"; top=$(cd "$1" && pwd)
	USERLINE='rabbitmq:x:999:999::/var/lib/rabbitmq:/bin/sh' GROUPLINE='rabbitmq:x:999:'
	unpack trixie "$top/root" 'adduser|passwd|login.*|debconf|dpkg|tar|init-system-helpers|libpython.*|python.*|perl.*|libdb5.*|libpam.*|libsemanage.*|libsepol.*|libaudit.*|tzdata|socat' \
		redis-server redis-tools valkey-server valkey-tools rabbitmq-server
	mkdir -p "$top/root/var/lib/rabbitmq" "$top/root/var/log/rabbitmq"
	[ -e "$top/root/dev/null" ] || mknod -m 666 "$top/root/dev/null" c 1 3
	[ -e "$top/root/dev/urandom" ] || mknod -m 666 "$top/root/dev/urandom" c 1 9
	cp /etc/hosts "$top/root/etc/hosts"
	# plain programs run by the unpacked loader: no chroot, no root, signals as usual
	for t in redis-server redis-cli redis-sentinel valkey-server valkey-cli; do
		prog=$t extra=
		case $t in *-sentinel) prog=redis-server extra=' --sentinel' ;; esac
		cat >"$top/bin/$t" <<-EOF
		#!/bin/sh
		r=$top/root
		exec "\$r/lib64/ld-linux-x86-64.so.2" --library-path "\$r/usr/lib/x86_64-linux-gnu" "\$r/usr/bin/$prog" "\$@"$extra
		EOF
	done
	# Erlang has its paths built in: chroot (root only); settings come as RABBITMQ_* variables
	for t in rabbitmq-server rabbitmqctl rabbitmq-diagnostics rabbitmq-plugins rabbitmq-queues; do
		cat >"$top/bin/$t" <<-EOF
		#!/bin/sh
		export HOME=\${RABBITMQ_HOME_DIR:-/var/lib/rabbitmq} LANG=C.UTF-8 ELIXIR_ERL_OPTIONS=+fnu
		mountpoint -q $top/root/proc || mount -t proc proc $top/root/proc
		exec chroot $top/root /usr/lib/rabbitmq/bin/$t "\$@"
		EOF
	done
	chmod 755 "$top"/bin/*
	"$top/bin/redis-server" --version >/dev/null || die "the unpacked redis-server does not start"
	touch "$top/.complete"
	say "unpacked the servers into $top"
}
if [ -n "$UNPACK" ]; then servers "$UNPACK"; exit 0; fi

for i in $MISSING; do
	case $i in
	redis:8)    redislike $i trixie redis-server redis-cli redis-server redis-tools ;;
	redis:7)    redislike $i bookworm redis-server redis-cli redis-server redis-tools ;;
	valkey:8)   redislike $i trixie valkey-server valkey-cli valkey-server valkey-tools ;;
	rabbitmq:4) rabbit $i trixie ;;
	esac
done
