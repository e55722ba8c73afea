/* Prints the size of each struct that passes between guest and kernel, and where its members lie. Compiled for
 * the guest and for the host, the lists show what differs: see layouts.tap. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fanotify.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_packet.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>

#define SIZE(t) printf("%s %zu\n", #t, sizeof(t))
#define AT(t, m) printf("%s.%s %zu+%zu\n", #t, #m, offsetof(t, m), sizeof(((t *)0)->m))

int main(void)
{
    SIZE(struct timespec);
    AT(struct timespec, tv_nsec);
    SIZE(struct timeval);
    AT(struct timeval, tv_usec);
    SIZE(struct itimerval);
    SIZE(struct itimerspec);
    AT(struct itimerspec, it_value);
    SIZE(struct rlimit);
    AT(struct rlimit, rlim_max);
    SIZE(struct rusage);
    AT(struct rusage, ru_maxrss);
    AT(struct rusage, ru_nivcsw);
    SIZE(struct tms);
    SIZE(struct timex);
    AT(struct timex, offset);
    AT(struct timex, time);
    AT(struct timex, tai);
    SIZE(struct sysinfo);
    AT(struct sysinfo, totalram);
    AT(struct sysinfo, procs);
    AT(struct sysinfo, mem_unit);
    SIZE(struct utsname);
    AT(struct utsname, machine);
    SIZE(struct stat);
    AT(struct stat, st_mode);
    AT(struct stat, st_nlink);
    AT(struct stat, st_rdev);
    AT(struct stat, st_size);
    AT(struct stat, st_blksize);
    AT(struct stat, st_mtim);
    SIZE(struct statx);
    AT(struct statx, stx_mode);
    AT(struct statx, stx_size);
    AT(struct statx, stx_mtime);
    AT(struct statx, stx_dev_major);
    SIZE(struct statfs);
    AT(struct statfs, f_type);
    AT(struct statfs, f_bsize);
    AT(struct statfs, f_files);
    AT(struct statfs, f_fsid);
    AT(struct statfs, f_flags);
    SIZE(struct flock);
    AT(struct flock, l_type);
    AT(struct flock, l_whence);
    AT(struct flock, l_start);
    AT(struct flock, l_len);
    AT(struct flock, l_pid);
    SIZE(struct f_owner_ex);
    SIZE(struct open_how);
    AT(struct open_how, resolve);
    SIZE(struct iovec);
    SIZE(struct msghdr);
    AT(struct msghdr, msg_namelen);
    AT(struct msghdr, msg_iov);
    AT(struct msghdr, msg_controllen);
    AT(struct msghdr, msg_flags);
    SIZE(struct mmsghdr);
    AT(struct mmsghdr, msg_len);
    SIZE(struct cmsghdr);
    AT(struct cmsghdr, cmsg_level);
    SIZE(struct sockaddr_un);
    SIZE(struct sockaddr_in6);
    SIZE(struct sockaddr_nl);
    SIZE(struct sockaddr_ll);
    SIZE(struct sockaddr_storage);
    SIZE(struct ucred);
    SIZE(struct linger);
    SIZE(struct ifreq);
    SIZE(struct ifconf);
    SIZE(struct pollfd);
    SIZE(struct epoll_event);
    AT(struct epoll_event, data);
    SIZE(struct inotify_event);
    SIZE(struct signalfd_siginfo);
    SIZE(struct fanotify_event_metadata);
    SIZE(siginfo_t);
    AT(siginfo_t, si_code);
    AT(siginfo_t, si_pid);
    AT(siginfo_t, si_status);
    AT(siginfo_t, si_addr);
    AT(siginfo_t, si_value);
    AT(siginfo_t, si_band);
    SIZE(stack_t);
    AT(stack_t, ss_flags);
    AT(stack_t, ss_size);
    SIZE(struct sigevent);
    AT(struct sigevent, sigev_signo);
    AT(struct sigevent, sigev_notify);
    SIZE(struct sched_attr);
    AT(struct sched_attr, sched_runtime);
    SIZE(struct clone_args);
    AT(struct clone_args, set_tid);
    SIZE(struct mq_attr);
    SIZE(struct ipc_perm);
    AT(struct ipc_perm, mode);
    SIZE(struct msqid_ds);
    AT(struct msqid_ds, msg_ctime);
    AT(struct msqid_ds, msg_qnum);
    SIZE(struct semid_ds);
    AT(struct semid_ds, sem_otime);
    AT(struct semid_ds, sem_ctime);
    AT(struct semid_ds, sem_nsems);
    SIZE(struct shmid_ds);
    AT(struct shmid_ds, shm_segsz);
    AT(struct shmid_ds, shm_atime);
    AT(struct shmid_ds, shm_nattch);
    SIZE(struct sembuf);
    SIZE(struct winsize);
    SIZE(struct termios);
    SIZE(struct __user_cap_header_struct);
    SIZE(struct __user_cap_data_struct);
    SIZE(struct robust_list_head);
    SIZE(struct futex_waitv);
    AT(struct futex_waitv, flags);
    SIZE(struct mount_attr);
    SIZE(struct file_clone_range);
    SIZE(struct file_handle);
    SIZE(struct fstrim_range);
    /* Numbers. */
#define VALUE(x) printf("%s %#lx\n", #x, (unsigned long)(x))
    VALUE(O_CREAT);
    VALUE(O_EXCL);
    VALUE(O_NOCTTY);
    VALUE(O_TRUNC);
    VALUE(O_APPEND);
    VALUE(O_NONBLOCK);
    VALUE(O_SYNC);
    VALUE(O_DSYNC);
    VALUE(O_ASYNC);
    VALUE(O_DIRECT);
    VALUE(O_DIRECTORY);
    VALUE(O_NOFOLLOW);
    VALUE(O_NOATIME);
    VALUE(O_CLOEXEC);
    VALUE(O_PATH);
    VALUE(O_TMPFILE);
    VALUE(F_GETLK);
    VALUE(F_SETLKW);
    VALUE(F_SETOWN_EX);
    VALUE(F_OFD_SETLK);
    VALUE(F_SETPIPE_SZ);
    VALUE(SO_PEERCRED);
    VALUE(SO_RCVTIMEO);
    VALUE(SO_REUSEPORT);
    VALUE(SOCK_NONBLOCK);
    VALUE(SOCK_CLOEXEC);
    VALUE(SIGUSR1);
    VALUE(SIGBUS);
    VALUE(SIGSYS);
    VALUE(SA_RESTART);
    VALUE(SA_ONSTACK);
    VALUE(SIG_BLOCK);
    VALUE(RLIMIT_NOFILE);
    VALUE(RLIMIT_AS);
    VALUE(RLIMIT_NPROC);
    VALUE(TCGETS);
    VALUE(TIOCGWINSZ);
    VALUE(TIOCSCTTY);
    VALUE(TIOCGPTN);
    VALUE(FIONREAD);
    VALUE(FIONBIO);
    VALUE(FS_IOC_GETFLAGS);
    VALUE(EAGAIN);
    VALUE(EDEADLK);
    VALUE(ENAMETOOLONG);
    VALUE(ELOOP);
    VALUE(EHWPOISON);
    return 0;
}
