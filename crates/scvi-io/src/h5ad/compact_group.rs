//! A group and the header in which each of its links is a message (HDF5 File Format Specification
//! 4.0, sections IV.A.1.b, IV.A.2.c and IV.A.2.g).

use std::collections::BTreeMap;

use super::format::{
    Link, Message, MessageKind, ObjectHeader, Prefix, SHARED, Target, for_each_link, heap_of_links,
    read_link, read_links,
};
use super::store::Store;
use super::superblock::lookup3;

/// An address of nothing.
const UNDEFINED: [u8; 8] = [0xff; 8];
/// Flags of a header: attributes are in the order in which they were made, ways to look them up, and
/// what may stand before the messages.
const KEPT_FLAGS: u8 = 0x3c;
const HAS_ORDER: u8 = 0x04;
/// A header's size in four bytes.
const SIZE_OF_4: u8 = 2;
/// Bytes of a message at most, whose size stands in two bytes.
const MAX_MESSAGE: usize = u16::MAX as usize;

/// A group on the way to what is edited.
pub(super) struct CompactGroup {
    /// Its path.
    pub(super) place: String,
    header: ObjectHeader,
    /// Its links, each as a message.
    pub(super) links: Vec<(Link, Vec<u8>)>,
    /// Whether the library edits it as it is, and all its links are to stay.
    pub(super) is_editable: bool,
    /// Whether the library would lose some of them, wherever it edits the file.
    pub(super) is_lossy: bool,
}

impl CompactGroup {
    /// Reads the group at an address, without soft and external links of the names in `dropped`.
    pub(super) fn read(
        store: &Store,
        address: u64,
        place: &str,
        dropped: &[(String, String)],
    ) -> Result<Self, String> {
        let blocks = store.blocks();
        let header = ObjectHeader::read(blocks, address, None)?;
        let mut links = Vec::new();
        let mut in_heap = false;
        if header.message(MessageKind::SYMBOL_TABLE).is_some() {
            let of_table = read_links(blocks, address)?.into_iter();
            links.extend(of_table.map(|link| (link.clone(), message_of(&link))));
        } else {
            for_each_link(blocks, &header, &mut |message| {
                let mut rest = message.clone();
                let link = read_link(&mut rest)?;
                // In headers of the oldest form zeros may follow.
                let length = rest.read_bytes();
                links.push((link, message.into_bytes()[..length].to_vec()));
                Ok(())
            })?;
            if let Some(info) = header.message(MessageKind::LINK_INFO) {
                in_heap = heap_of_links(&mut info.body.clone())?.0.is_some();
            }
        }
        let is_hard = |link: &Link| matches!(link.target, Target::Object(_));
        let n_links = links.len();
        let is_dropped = |link: &Link| {
            !is_hard(link) && dropped.iter().any(|(of, key)| of == place && *key == link.name)
        };
        links.retain(|(link, _)| !is_dropped(link));
        let is_old = matches!(header.prefix, Prefix::Old { .. });
        let is_lossy = is_old && !links.iter().all(|(link, _)| is_hard(link));
        let is_editable = !in_heap && links.len() == n_links;
        Ok(Self { place: place.to_owned(), header, links, is_editable, is_lossy })
    }

    /// Refuses what a new header could not say.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_old = matches!(self.header.prefix, Prefix::Old { .. });
        let is_shared = |message: &Message| message.flags & SHARED != 0;
        if is_old && self.header.messages.iter().any(|m| self.is_kept(m.kind) && is_shared(m)) {
            return Err("attributes that are shared with others".into());
        }
        // Links of a table are worded anew, from what was read as UTF-8.
        let is_garbled = |text: &str| is_old && text.contains(char::REPLACEMENT_CHARACTER);
        for (link, message) in &self.links {
            let target = match &link.target {
                Target::Path(path) => path,
                _ => "",
            };
            if is_garbled(&link.name) || is_garbled(target) {
                return Err(format!("the link '{}' is not UTF-8", link.name));
            }
            if message.len() > MAX_MESSAGE {
                return Err(format!("a link of {} bytes", message.len()));
            }
        }
        match u32::try_from(self.new_header(&BTreeMap::new()).len()) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("{} links", self.links.len())),
        }
    }

    /// A header of version 2 with every link in a message, those to groups in `moved` changed; its
    /// length does not go by these.
    pub(super) fn new_header(&self, moved: &BTreeMap<u64, u64>) -> Vec<u8> {
        let (flags, optional) = match &self.header.prefix {
            Prefix::Old { .. } => (0, &[][..]),
            Prefix::New { flags, optional } => (flags & KEPT_FLAGS, &optional[..]),
        };
        let mut messages = Messages { bytes: Vec::new(), has_order: flags & HAS_ORDER != 0 };
        self.write_about(&mut messages);
        self.write_links(moved, &mut messages);
        let mut header = b"OHDR\x02".to_vec();
        header.push(flags | SIZE_OF_4);
        header.extend(optional);
        header.extend((messages.bytes.len() as u32).to_le_bytes());
        header.extend(messages.bytes);
        header.extend(lookup3(&header).to_le_bytes());
        header
    }

    /// Everything but the links.
    fn write_about(&self, messages: &mut Messages) {
        messages.push(MessageKind::LINK_INFO, 0, [0; 2], &self.link_info());
        let kept = || self.header.messages.iter().filter(|message| self.is_kept(message.kind));
        if !kept().any(|message| message.kind == MessageKind::GROUP_INFO) {
            messages.push(MessageKind::GROUP_INFO, 0, [0; 2], &[0, 0]);
        }
        if let Prefix::Old { n_links: n @ 2.. } = self.header.prefix {
            let count = [&[0], &(n as u32).to_le_bytes()[..]].concat();
            messages.push(MessageKind::REFERENCE_COUNT, 0, [0; 2], &count);
        }
        for Message { kind, flags, order, body, .. } in kept() {
            messages.push(*kind, *flags, *order, &body.clone().into_bytes());
        }
    }

    fn write_links(&self, moved: &BTreeMap<u64, u64>, messages: &mut Messages) {
        for (link, message) in &self.links {
            let mut message = message.clone();
            if let Target::Object(old) = link.target
                && let Some(new) = moved.get(&old)
            {
                // The address of a hard link comes last.
                let at = message.len() - 8;
                message[at..].copy_from_slice(&new.to_le_bytes());
            }
            messages.push(MessageKind::LINK, 0, [0; 2], &message);
        }
    }

    /// What a new header takes over; one of the oldest form has its other messages for itself.
    fn is_kept(&self, kind: MessageKind) -> bool {
        match self.header.prefix {
            Prefix::Old { .. } => [MessageKind::ATTRIBUTE, MessageKind::COMMENT].contains(&kind),
            Prefix::New { .. } => ![
                MessageKind::NIL,
                MessageKind::LINK,
                MessageKind::LINK_INFO,
                MessageKind::SYMBOL_TABLE,
            ]
            .contains(&kind),
        }
    }

    /// The message that says that links stand in the header, in the order of their making or not.
    fn link_info(&self) -> Vec<u8> {
        let old = self.header.message(MessageKind::LINK_INFO);
        let old = old.map_or(Vec::new(), |info| info.body.clone().into_bytes());
        // Version, flags, and the highest order so far; a shorter message says nothing.
        let (flags, order) = match old[..] {
            [_, flags, ref rest @ ..] if rest.len() >= 8 => (flags & 3, &rest[..8]),
            _ => (0, &[][..]),
        };
        let mut info = vec![0, flags];
        if flags & 1 != 0 {
            info.extend(order);
        }
        let n_addresses = 2 + usize::from(flags >> 1);
        info.extend(UNDEFINED.repeat(n_addresses));
        info
    }
}

/// Messages of a header of version 2.
struct Messages {
    bytes: Vec<u8>,
    /// Whether each says when it was made among others.
    has_order: bool,
}

impl Messages {
    fn push(&mut self, kind: MessageKind, flags: u8, order: [u8; 2], body: &[u8]) {
        self.bytes.push(kind.0 as u8);
        self.bytes.extend((body.len() as u16).to_le_bytes());
        self.bytes.push(flags);
        if self.has_order {
            self.bytes.extend(order);
        }
        self.bytes.extend(body);
    }
}

/// The message of a link that stands in a table.
fn message_of(link: &Link) -> Vec<u8> {
    let (kind, target) = match &link.target {
        Target::Object(address) => (None, address.to_le_bytes().to_vec()),
        // Tables have soft links at most beside hard ones.
        Target::Path(path) => {
            let length = (path.len() as u16).to_le_bytes();
            (Some(1), [&length[..], path.as_bytes()].concat())
        }
        Target::OtherFile { .. } | Target::Unknown(_) => (None, UNDEFINED.to_vec()),
    };
    // The length of a name in two bytes, a kind where it is no hard link, and UTF-8.
    let mut message = vec![1, 1 | u8::from(kind.is_some()) << 3 | 1 << 4];
    message.extend(kind);
    message.push(1);
    message.extend((link.name.len() as u16).to_le_bytes());
    message.extend(link.name.as_bytes());
    message.extend(target);
    message
}
