sbcl --noinform --non-interactive --no-sysinit --no-userinit --load main.lisp
