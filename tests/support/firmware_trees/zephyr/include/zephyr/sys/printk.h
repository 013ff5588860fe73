/* include/zephyr/sys/printk.h */
#pragma once
#include <stdio.h>
#define printk(...) ((void)printf(__VA_ARGS__))
