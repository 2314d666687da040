#!/bin/sh
# Process 1 of a node, started in new mount, network, process, UTS and IPC namespaces:
#
#     node_init.sh FOLDER NAME INIT KUBELET
#
# It builds the node's own root (FOLDER/root): the machine's programs and settings below a private
# writable layer, and everything else empty, so that no hostPath of a pod reaches the machine or
# another node. Then it becomes INIT, which only collects orphans. All of it vanishes with the last
# process.
set -eu
folder=$1 name=$2 init=$3 kubelet=$4
root=$folder/root

echo "$name" > /proc/sys/kernel/hostname
echo 1 > /proc/sys/net/ipv4/ip_forward

mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mkdir -p dev etc opt proc run sys tmp usr \
    var/lib/cni var/lib/calico var/lib/kubelet var/lib/containerd var/log var/tmp var/cache
chmod 1777 tmp var/tmp
[ -L var/run ] || ln -s /run var/run

# A node that was killed a moment ago may still hold its layers.
overlay() {
    tries=0
    layers=lowerdir=/$1,upperdir=$folder/upper/$1,workdir=$folder/work/$1
    until mount -t overlay -o "$layers" overlay "$1"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 30 ]; then
            echo "cannot stack a private layer over /$1: the file system of $folder must take" \
                "overlayfs; set CALICO_OPERATOR_STATE to a folder on ext4, xfs or tmpfs"
            exit 1
        fi
        sleep 0.1
    done
}

for part in etc opt usr; do
    mkdir -p "$folder/upper/$part" "$folder/work/$part"
    overlay "$part"
done
for part in bin sbin lib lib32 lib64; do
    if [ -L "/$part" ]; then
        ln -sfn "$(readlink "/$part")" "$part"
    elif [ -d "/$part" ]; then
        mkdir -p "$part"
        mount --bind "/$part" "$part"
    fi
done
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run

mkdir -p run/lock etc/cni/net.d opt/cni/bin usr/local/bin usr/libexec/kubernetes
for plugin in /usr/lib/cni/*; do
    [ -e "$plugin" ] || break
    [ -e "opt/cni/bin/${plugin##*/}" ] || cp "$plugin" opt/cni/bin/
done
for program in "init:$init" "kubelet:$kubelet"; do
    touch "usr/local/bin/calico-operator-${program%%:*}"
    mount --bind "${program#*:}" "usr/local/bin/calico-operator-${program%%:*}"
done
rm -f etc/hosts etc/hostname etc/resolv.conf
cp var/lib/kubernetes/hosts etc/hosts
echo "$name" > etc/hostname
echo "# The cluster has no name server." > etc/resolv.conf

mkdir -p old-root
pivot_root . old-root
cd /
umount -l /old-root
rmdir /old-root
mount --make-rshared /
: > /run/node-is-set-up
exec /usr/local/bin/calico-operator-init
