# Stand-in for tools/make/oot.mk: the variables of crazyflie-firmware's docs/development/oot.md, no others.
OOT ?= $(PWD)
OOT_CONFIG ?= $(OOT)/oot-config

all:
	$(MAKE) -C $(CRAZYFLIE_BASE) KBUILD_OUTPUT=$(OOT)/build OOT=$(OOT) EXTRA_CFLAGS="$(EXTRA_CFLAGS)" KCONFIG_ALLCONFIG=$(OOT_CONFIG)
