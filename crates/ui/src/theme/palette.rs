//! The two tables.

use iced::Color;

use super::{Terminal, Tokens};

const fn hex(rgb: u32) -> Color {
    let [_, r, g, b] = rgb.to_be_bytes();
    Color::from_rgb8(r, g, b)
}

const fn rgb(rgb: u32) -> [u8; 3] {
    let [_, r, g, b] = rgb.to_be_bytes();
    [r, g, b]
}

pub(super) const NOCTURNE: Tokens = Tokens {
    name: "Nocturne",
    dark: true,
    base: hex(0x0f_11_15),
    panel: hex(0x14_17_1c),
    raised: hex(0x1a_1e_25),
    hover: hex(0x21_27_30),
    border: hex(0x26_2c_36),
    strong: hex(0x3a_43_51),
    text: hex(0xe6_e9_ef),
    dim: hex(0xa3_ad_bb),
    faint: hex(0x8b_96_a6),
    accent: hex(0xe3_b2_5a),
    accent_background: hex(0x2a_24_17),
    on_accent: hex(0x1c_16_08),
    blue: hex(0x6c_a8_e8),
    green: hex(0x74_c2_88),
    red: hex(0xee_6c_74),
    purple: hex(0xb6_93_ee),
    orange: hex(0xe8_8b_52),
    backdrop: Color::from_rgba8(5, 6, 8, 0.55),
    shadow: Color::from_rgba8(0, 0, 0, 0.5),
    terminal: Terminal {
        foreground: rgb(0xe6_e9_ef),
        background: rgb(0x0b_0d_10),
        cursor: rgb(0xe6_e9_ef),
        selection: rgb(0x32_3d_4e),
        ansi: [
            rgb(0x2a_30_3a),
            rgb(0xee_6c_74),
            rgb(0x74_c2_88),
            rgb(0xe3_b2_5a),
            rgb(0x6c_a8_e8),
            rgb(0xb6_93_ee),
            rgb(0x5f_c3_c9),
            rgb(0xc9_d0_da),
            rgb(0x7d_88_98),
            rgb(0xf7_8f_95),
            rgb(0x93_d8_a4),
            rgb(0xf1_ca_7e),
            rgb(0x90_c1_f4),
            rgb(0xcb_b2_f7),
            rgb(0x86_d9_de),
            rgb(0xf4_f6_f9),
        ],
    },
};

pub(super) const MATINEE: Tokens = Tokens {
    name: "Matinee",
    dark: false,
    base: hex(0xf6_f5_f2),
    panel: hex(0xfb_fa_f8),
    raised: hex(0xff_ff_ff),
    hover: hex(0xef_ed_e8),
    border: hex(0xe2_df_d8),
    strong: hex(0xc6_c1_b6),
    text: hex(0x1d_21_27),
    dim: hex(0x53_5c_69),
    faint: hex(0x61_6a_77),
    accent: hex(0x8f_5f_00),
    accent_background: hex(0xfb_f1_da),
    on_accent: hex(0xff_ff_ff),
    blue: hex(0x1f_64_b0),
    green: hex(0x21_7a_3c),
    red: hex(0xb8_23_2f),
    purple: hex(0x6d_3f_c0),
    orange: hex(0xa8_4c_12),
    backdrop: Color::from_rgba8(40, 36, 28, 0.32),
    shadow: Color::from_rgba8(60, 50, 30, 0.22),
    terminal: Terminal {
        foreground: rgb(0x1d_21_27),
        background: rgb(0xff_ff_ff),
        cursor: rgb(0x1d_21_27),
        selection: rgb(0xd5_e3_f5),
        // White is ink here as well: programs print it on the default background far more often than
        // they use it as a background of their own.
        ansi: [
            rgb(0x1d_21_27),
            rgb(0xb8_23_2f),
            rgb(0x21_7a_3c),
            rgb(0x8f_5f_00),
            rgb(0x1f_64_b0),
            rgb(0x6d_3f_c0),
            rgb(0x0d_6d_77),
            rgb(0x68_6f_7a),
            rgb(0x5f_68_75),
            rgb(0xca_30_3c),
            rgb(0x2a_7f_45),
            rgb(0x96_65_00),
            rgb(0x2a_70_c0),
            rgb(0x7c_4f_cc),
            rgb(0x14_75_80),
            rgb(0x3d_44_4d),
        ],
    },
};
